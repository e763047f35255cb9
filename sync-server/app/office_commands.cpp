#include "app/office_commands.h"

#include <sodium.h>

#include <boost/json.hpp>
#include <iomanip>
#include <mutex>
#include <sstream>

#include "app/acts.h"
#include "app/import.h"
#include "app/named_rows.h"
#include "app/operation_view.h"
#include "app/operator_text.h"
#include "app/rows.h"
#include "codec/form_codec.h"
#include "core/fingerprint.h"
#include "service/form_publication.h"
#include "service/policy.h"

namespace fieldsync::server {
namespace {

namespace json = boost::json;

template <typename IdType>
IdType random_id() {
  IdType id;
  randombytes_buf(id.bytes.data(), id.bytes.size());
  return id;
}

void print_rows(Administration& admin, const CommandOptions& options, const std::vector<std::string>& header,
                const std::vector<Row>& rows) {
  options.as_json ? print_json_rows(admin.out, header, rows) : print_table(admin.out, header, rows);
}

ReadingMode mode_of(const CommandOptions& options) {
  return options.mode == "own" ? ReadingMode::own : ReadingMode::scope;
}

// "monitor in 'Osh region'", and what they read of it where that is not all.
std::string membership_text(const CommandOptions& options) {
  const bool is_own = reading_mode_of(*role_from_name(options.role), mode_of(options)) == ReadingMode::own;
  return options.role + " in '" + options.scope + "'" + (is_own ? ", reading their own records" : "");
}

// What the audit log says of a membership.
std::string word_for(const CommandOptions& options) { return options.role + ":" + options.mode; }

json::object json_of(const Counts& counts) {
  return {{"records", counts.records},
          {"operations", counts.operations},
          {"open_conflicts", counts.open_conflicts},
          {"quarantined", counts.quarantined},
          {"attachments_held", counts.attachments_held},
          {"attachments_awaited", counts.attachments_awaited}};
}

std::string text_of(const Counts& counts) {
  std::ostringstream text;
  text << counts.records << " records from " << counts.operations << " operations, " << counts.open_conflicts
       << " open conflicts, " << counts.quarantined << " operations in quarantine; " << counts.attachments_held
       << " attachments held, " << counts.attachments_awaited << " awaited.";
  return text.str();
}

Result<Counts> counts_of(Store& store) {
  Counts counts;
  auto counted = store.read([&](ReadTransaction& transaction) -> Result<void> {
    counts = transaction.counts();
    return {};
  });
  return counted ? Result(counts) : counted.error();
}

Result<void> check_database(Store& store) {
  return store.read([](ReadTransaction& transaction) -> Result<void> {
    const std::string problem = transaction.integrity_problem();
    std::string wrong_digests;
    for (const ScopeRow& scope : transaction.scopes()) {
      std::uint64_t sum = 0;
      transaction.changes_after({scope.key, std::nullopt}, 0, [&](const VisibleRecord& visible) {
        sum += visible.row.hash;
        return true;
      });
      if (sum != scope.digest) wrong_digests += " '" + scope.name + "'";
    }
    if (!problem.empty())
      return Error{Errc::storage_corrupt,
                   "The database is damaged: " + problem + ". Keep the file and restore a backup beside it."};
    if (!wrong_digests.empty())
      return Error{Errc::storage_corrupt, "The digest does not match the records of" + wrong_digests + "."};
    return {};
  });
}

void print_damaged(Administration& admin, const CommandOptions& options,
                   const std::vector<core::AttachmentFile>& damaged) {
  if (!options.as_json) {
    for (const core::AttachmentFile& file : damaged) admin.out << file.id.hex() << "\n";
    return;
  }
  json::array hashes;
  for (const core::AttachmentFile& file : damaged) hashes.emplace_back(file.id.hex());
  admin.out << json::serialize(json::object{{"ok", false}, {"damaged", std::move(hashes)}}) << "\n";
}

Result<void> check_attachments(Administration& admin, const CommandOptions& options) {
  const auto damaged = admin.attachments.find_damaged();
  if (!damaged) return damaged.error();
  if (damaged->empty()) return {};
  print_damaged(admin, options, *damaged);
  return Error{Errc::storage_corrupt, "The " + std::to_string(damaged->size()) +
                                          " attachments above are missing or damaged. Put them into " +
                                          admin.configuration.attachments().string() +
                                          " from a backup; or take the damaged files out, and devices that have "
                                          "them send them again."};
}

}  // namespace

Result<void> add_scope(Administration& admin, const CommandOptions& options) {
  if (auto checked = check_line(options.name, "A scope's name", name_characters_max); !checked) return checked;
  ScopeRow scope;
  scope.id = random_id<core::ScopeId>();
  scope.name = options.name;
  randombytes_buf(&scope.epoch, sizeof scope.epoch);
  scope.epoch >>= 1;
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    for (const ScopeRow& row : transaction.scopes()) {
      if (row.name == options.name)
        return Error{Errc::invalid_argument, "There is a scope '" + options.name + "' already."};
    }
    transaction.add_scope(scope);
    const auto stored = transaction.scope(scope.id);
    const auto office = core::PersonId::from_bytes(transaction.setting("office_person"));
    // The office writes what is imported.
    if (stored && office) transaction.put_membership(*office, stored->key, Role::case_handler, ReadingMode::scope);
    note_act(admin, transaction, {"scope_add", {bytes_of(scope.id)}, {}});
    return {};
  });
  if (done) admin.out << "Scope '" << scope.name << "' made: " << scope.id.hex() << "\n";
  return done;
}

Result<void> list_scopes(Administration& admin, const CommandOptions& options) {
  return admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    std::vector<Row> rows;
    for (const ScopeRow& scope : transaction.scopes()) {
      std::ostringstream digest;
      digest << std::hex << std::setw(16) << std::setfill('0') << scope.digest;
      rows.push_back({scope.id.hex(), scope.name, scope.head, digest.str()});
    }
    print_rows(admin, options, {"id", "name", "operations", "digest"}, rows);
    return {};
  });
}

Result<void> add_person(Administration& admin, const CommandOptions& options) {
  if (auto checked = check_line(options.name, "A person's name", name_characters_max); !checked) return checked;
  PersonRow person{random_id<core::PersonId>(), options.name};
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    transaction.add_person(person);
    note_act(admin, transaction, {"person_add", {bytes_of(person.id)}, {}});
    if (options.scope.empty()) return {};
    auto scope = find_scope(transaction, options.scope);
    if (!scope) return scope.error();
    transaction.put_membership(person.id, scope->key, *role_from_name(options.role), mode_of(options));
    note_act(admin, transaction, {"person_join", {bytes_of(person.id), bytes_of(scope->id)}, word_for(options)});
    return {};
  });
  if (!done) return done;
  admin.out << "Person '" << person.name << "' added: " << person.id.hex();
  if (!options.scope.empty()) admin.out << ", " << membership_text(options);
  admin.out << ".\nNext, for each of their devices: fieldsync-server enrol-code '" << person.name << "'\n";
  return {};
}

Result<void> list_people(Administration& admin, const CommandOptions& options) {
  return admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    std::vector<Row> rows;
    for (const PersonRow& person : transaction.people()) {
      std::string scopes;
      for (const MembershipRow& membership : transaction.memberships(person.id)) {
        const bool is_own = reading_mode_of(membership.role, membership.mode) == ReadingMode::own;
        scopes += (scopes.empty() ? "" : ", ") + membership.scope.name + " (" + std::string(name_of(membership.role)) +
                  (is_own ? ", own records)" : ")");
      }
      rows.push_back({person.id.hex(), person.name, scopes});
    }
    print_rows(admin, options, {"id", "name", "scopes"}, rows);
    return {};
  });
}

Result<void> set_membership(Administration& admin, const CommandOptions& options, bool joins) {
  std::vector<DeviceRow> devices;
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    auto person = find_person(transaction, options.person);
    if (!person) return person.error();
    auto scope = find_scope(transaction, options.scope);
    if (!scope) return scope.error();
    if (!joins && !is_member(transaction, person->id, scope->key)) {
      return Error{Errc::not_found,
                   "'" + options.person + "' is not in '" + options.scope + "'. See: fieldsync-server person list"};
    }
    transaction.put_membership(person->id, scope->key, joins ? *role_from_name(options.role) : Role::none,
                               mode_of(options));
    note_act(admin, transaction,
             {joins ? "person_join" : "person_leave",
              {bytes_of(person->id), bytes_of(scope->id)},
              joins ? word_for(options) : std::string()});
    devices = devices_of(transaction, person->id);
    return {};
  });
  if (!done) return done;
  end_connections_of(admin, devices);
  admin.out << "'" << options.person << "' "
            << (joins ? "is now " + membership_text(options) : "has left '" + options.scope + "'") << ".\n";
  return done;
}

Result<void> list_devices(Administration& admin, const CommandOptions& options) {
  return admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    std::vector<Row> rows;
    for (const DeviceRow& device : transaction.devices()) {
      rows.push_back({options.as_json ? device.id.hex() : core::fingerprint_of(device.id), device.person.name,
                      device.name, device.last_counter, device.seen ? instant_text(*device.seen) : "never",
                      device.revoked ? "revoked" : "active"});
    }
    print_rows(admin, options,
               {options.as_json ? "id" : "fingerprint", "person", "name", "operations", "last_upload", "state"}, rows);
    return {};
  });
}

Result<void> revoke_device(Administration& admin, const CommandOptions& options) {
  std::vector<DeviceRow> revoked;
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    auto device = find_device(transaction, options.device);
    if (!device) return device.error();
    revoked = {*device};
    transaction.revoke_device(device->key, admin.clock());
    note_act(admin, transaction, {"device_revoke", {bytes_of(device->id)}, {}});
    return {};
  });
  if (!done) return done;
  end_connections_of(admin, revoked);
  if (auto forgotten = admin.attachments.forget_uploads(revoked.front().id); !forgotten) {
    return Error{forgotten.error().code,
                 "The device is revoked, but what came of its uploads could not be thrown away (" +
                     forgotten.error().message() + "). Give the command again."};
  }
  admin.out << "Device " << options.device << " is revoked: it may only hand in what it has, and erases itself then.\n";
  return done;
}

Result<void> import_form(Administration& admin, const CommandOptions& options) {
  auto text = read_file(options.file);
  if (!text) return text.error();
  auto parsed = codec::parse_form_text(*text);
  if (!parsed) return parsed.error();
  auto done = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    if (auto published = publish_form(transaction, *parsed); !published) return published;
    note_act(admin, transaction, {"form_import", {}, parsed->form.name});
    return {};
  });
  if (done)
    admin.out << "Form '" << parsed->form.name << "' version " << parsed->form.version
              << " imported; devices get it with their next sync.\n";
  return done;
}

Result<void> list_forms(Administration& admin, const CommandOptions& options) {
  return admin.store.read([&](ReadTransaction& transaction) -> Result<void> {
    std::vector<Row> rows;
    for (const FormRow& row : transaction.forms_since(0)) {
      auto form = codec::decode_form(row.bytes);
      if (!form) return form.error();
      rows.push_back({row.name, row.version, form->fields.size(), core::label_in(form->labels, "en", "")});
    }
    print_rows(admin, options, {"name", "version", "fields", "label"}, rows);
    return {};
  });
}

Result<void> import_file(Administration& admin, const CommandOptions& options) {
  auto content = read_file(options.file);
  if (!content) return content.error();
  core::ScopeId scope;
  auto noted = admin.store.write([&](WriteTransaction& transaction) -> Result<void> {
    const auto found = find_scope(transaction, options.scope);
    if (!found) return found.error();
    if (const auto form = find_form(transaction, options.form); !form) return form.error();
    scope = found->id;
    note_act(admin, transaction, {"import", {bytes_of(scope)}, options.form});
    return {};
  });
  if (!noted) return noted;
  ImportRequest request{options.form, scope, std::move(*content), options.key, {}};
  request.on_progress = [&](std::size_t done, std::size_t all) {
    if (admin.on_progress && (done % 100 == 0 || done == all)) admin.on_progress(done, all);
  };
  const std::lock_guard alone(admin.locks.imports);
  auto report = import_records(admin.store, admin.sync, admin.clock, request);
  if (!report) return report.error();
  admin.out << report->rows << " rows read: " << report->written << " records written, " << report->unchanged
            << " unchanged.\n";
  return {};
}

Result<void> show_status(Administration& admin, const CommandOptions& options) {
  const auto counts = counts_of(admin.store);
  if (!counts) return counts.error();
  admin.out << (options.as_json ? json::serialize(json_of(*counts)) : text_of(*counts)) << "\n";
  return {};
}

Result<void> check(Administration& admin, const CommandOptions& options) {
  auto checked = check_database(admin.store);
  if (!checked && options.as_json) {
    admin.out << json::serialize(json::object{{"ok", false}, {"problem", json_text(checked.error().message())}})
              << "\n";
  }
  if (checked) checked = check_attachments(admin, options);
  if (!checked) return checked;
  const auto counts = counts_of(admin.store);
  if (!counts) return counts.error();
  if (options.as_json) {
    json::object report = json_of(*counts);
    report["ok"] = true;
    admin.out << json::serialize(report) << "\n";
  } else {
    admin.out << "All is sound: " << text_of(*counts) << "\n";
  }
  return {};
}

Result<void> list_errors(Administration& admin, const CommandOptions& options) {
  std::vector<Row> rows;
  for (const ErrcEntry& entry : all_errors()) {
    const json::value status = entry.http_status == 0 ? json::value() : json::value(entry.http_status);
    rows.push_back({entry.name, status, entry.retry, entry.sentence});
  }
  print_rows(admin, options, {"code", "status", "retry", "sentence"}, rows);
  return {};
}

}  // namespace fieldsync::server
