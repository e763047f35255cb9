#include "sim/office.h"

#include <sodium.h>

#include <algorithm>
#include <memory>

#include "service/enrolment.h"
#include "service/form_publication.h"
#include "sim/visit_form.h"

namespace fieldsync::sim {
namespace {

constexpr std::int64_t code_lifetime_ms = 400 * day_ms;

template <typename Id>
Id random_id() {
  Id id;
  randombytes_buf(id.bytes.data(), id.bytes.size());
  return id;
}

Result<void> publish_visit_form(server::WriteTransaction& transaction, std::uint32_t version) {
  const auto known = transaction.form("visit");
  if (known && known->version >= version) return {};
  const auto parsed = codec::parse_form_text(visit_form(version));
  if (!parsed) return parsed.error();
  return server::publish_form(transaction, *parsed);
}

Result<void> write_scopes(server::WriteTransaction& transaction, const std::vector<OfficeScope>& scopes) {
  for (const OfficeScope& scope : scopes) {
    if (transaction.scope(scope.id)) continue;
    server::ScopeRow row;
    row.id = scope.id;
    row.name = scope.name;
    randombytes_buf(&row.epoch, sizeof row.epoch);
    row.epoch >>= 1;
    transaction.add_scope(row);
  }
  return {};
}

void write_memberships(server::WriteTransaction& transaction, const OfficePerson& person,
                       const std::vector<OfficeScope>& scopes) {
  std::map<core::ScopeId, server::Role> wanted;
  for (const std::size_t scope : person.scopes)
    wanted[scopes[scope].id] = person.on_board.contains(scope) ? server::Role::board : server::Role::monitor;
  for (const server::MembershipRow& row : transaction.memberships(person.id)) {
    const auto role = wanted.find(row.scope.id);
    if (role == wanted.end()) {
      transaction.put_membership(person.id, row.scope.key, server::Role::none, server::ReadingMode::scope);
    } else if (role->second == row.role) {
      wanted.erase(role);
    }
  }
  for (const auto& [scope, role] : wanted)
    transaction.put_membership(person.id, transaction.scope(scope)->key, role, server::ReadingMode::scope);
}

}  // namespace

Office::Office(Run& run, Server& server) : run_(run), server_(server), desk_(run, server) {
  const std::size_t scope_count = run.chance.happens(0.3) ? 2 : 1;
  for (std::size_t i = 0; i < scope_count; ++i)
    scopes_.push_back({random_id<core::ScopeId>(), i == 0 ? "Osh region" : "Batken region"});
  const char* names[] = {"Aigul", "Bakyt", "Chynara", "Daniyar", "Elmira", "Farhod", "Gulnora", "Hakim"};
  for (const char* name : names) {
    OfficePerson person;
    person.id = random_id<core::PersonId>();
    person.name = name;
    person.scopes = {0};
    if (scope_count == 2 && run.chance.happens(0.6)) person.scopes.push_back(1);
    people_.push_back(person);
  }
}

void Office::decide(const std::function<Result<void>(server::WriteTransaction&)>& body,
                    const std::function<void(bool)>& tried) {
  const bool written = server_.is_up() && server_.store().write(body);
  tried(written);
  if (written) return;
  server_.faults().notice();
  run_.schedule.after(hour_ms, [this, body, tried] { decide(body, tried); });
}

Result<void> Office::write_all(server::WriteTransaction& transaction) {
  if (auto form = publish_visit_form(transaction, form_version_); !form) return form;
  return write_all_but_form(transaction);
}

Result<void> Office::write_all_but_form(server::WriteTransaction& transaction) {
  if (auto scopes = write_scopes(transaction, scopes_); !scopes) return scopes;
  for (const OfficePerson& person : people_) {
    bool known_person = false;
    for (const server::PersonRow& row : transaction.people()) known_person = known_person || row.id == person.id;
    if (!known_person) transaction.add_person({person.id, person.name});
    write_memberships(transaction, person, scopes_);
  }
  for (const core::DeviceId& device : revoked_) {
    const auto row = transaction.device_by_id(device);
    if (row && !row->revoked) transaction.revoke_device(row->key, server_.clock());
  }
  return {};
}

void Office::write_down() {
  write_now([this](auto& transaction) { return write_all(transaction); });
}

void Office::write_down_form_after(std::int64_t ms) {
  write_now([this](auto& transaction) { return write_all_but_form(transaction); });
  run_.schedule.after(ms, [this] {
    run_.tally.add(FaultKind::form_lost_by_restore);
    publish_form();
  });
}

void Office::publish_form() {
  decide([version = form_version_](auto& transaction) { return publish_visit_form(transaction, version); });
}

void Office::write_now(const std::function<Result<void>(server::WriteTransaction&)>& body) {
  const auto written = server_.store().write(body);
  if (!written) throw BrokenPromise("The office cannot write to its database: " + written.error().message());
}

void Office::write_down_after(std::int64_t ms) {
  run_.schedule.after(ms, [this] {
    run_.tally.add(FaultKind::rights_given_again);
    decide([this](auto& transaction) { return write_all(transaction); });
  });
}

std::optional<std::string> Office::new_code(std::size_t person) {
  if (!server_.is_up()) return std::nullopt;
  std::string code;
  const core::Instant expires{server_.clock().ms + code_lifetime_ms};
  const auto added = server_.store().write([&](server::WriteTransaction& transaction) -> Result<void> {
    code = server::add_enrolment_code(transaction, people_[person].id, expires);
    return {};
  });
  if (!added) return std::nullopt;
  return code;
}

void Office::revoke(const core::DeviceId& device) {
  revoked_.insert(device);
  rights_taken_ms_ = run_.schedule.now();
  const auto counted = std::make_shared<std::uint64_t>(0);
  const auto write = [this, device, counted](server::WriteTransaction& transaction) -> Result<void> {
    const auto row = transaction.device_by_id(device);
    if (row) transaction.revoke_device(row->key, server_.clock());
    *counted = row ? row->last_counter : 0;
    return {};
  };
  decide(write, [this, device, counted](bool written) {
    // A decision that was told to have failed may come back with the log: then nobody knows when.
    if (!written) unsure_revocations_.insert(device);
    if (written && !unsure_revocations_.contains(device)) had_when_revoked_.emplace(device, *counted);
  });
}

std::optional<std::uint64_t> Office::had_when_revoked(const core::DeviceId& device) const {
  const auto known = had_when_revoked_.find(device);
  return known == had_when_revoked_.end() ? std::nullopt : std::optional(known->second);
}

std::optional<std::size_t> Office::take_from_scope(std::size_t index) {
  OfficePerson& person = people_[index];
  if (person.scopes.empty()) return std::nullopt;
  const std::size_t scope = person.scopes.back();
  person.away_until_ms[scope] = INT64_MAX;
  person.scopes.pop_back();
  rights_taken_ms_ = run_.schedule.now();
  decide_memberships(index);
  return scope;
}

void Office::give_scope(std::size_t index, std::size_t scope) {
  people_[index].scopes.push_back(scope);
  decide_memberships(index);
}

std::optional<std::size_t> Office::move_to_board(std::size_t index) {
  OfficePerson& person = people_[index];
  if (person.scopes.empty()) return std::nullopt;
  const std::size_t scope = person.scopes.front();
  person.on_board.insert(scope);
  person.board_until_ms[scope] = INT64_MAX;
  rights_taken_ms_ = run_.schedule.now();
  decide_memberships(index);
  return scope;
}

void Office::move_back(std::size_t index, std::size_t scope) {
  people_[index].on_board.erase(scope);
  decide_memberships(index);
}

void Office::decide_memberships(std::size_t person) {
  const auto write = [this, person](server::WriteTransaction& transaction) -> Result<void> {
    write_memberships(transaction, people_[person], scopes_);
    return {};
  };
  decide(write, [this, person](bool written) {
    if (!written) {
      people_[person].is_unsure = true;
      return;
    }
    note_written(people_[person]);
  });
}

void Office::note_written(OfficePerson& person) {
  const auto note = [now_ms = run_.schedule.now()](auto& until, auto& since, const auto& is_taken) {
    for (auto& [scope, until_ms] : until) {
      if (is_taken(scope)) {
        since.emplace(scope, now_ms);
      } else {
        until_ms = std::min(until_ms, now_ms);
        since.erase(scope);
      }
    }
  };
  note(person.away_until_ms, person.away_since_ms, [&](std::size_t scope) {
    return std::find(person.scopes.begin(), person.scopes.end(), scope) == person.scopes.end();
  });
  note(person.board_until_ms, person.board_since_ms,
       [&](std::size_t scope) { return person.on_board.contains(scope); });
}

void Office::renew_form() {
  if (form_version_ == visit_versions) return;
  run_.tally.add(FaultKind::form_renewed);
  ++form_version_;
  form_published_ms_ = run_.schedule.now();
  run_.story.tell("office", "publishes version " + std::to_string(form_version_) + " of the form");
  publish_form();
}

}  // namespace fieldsync::sim
