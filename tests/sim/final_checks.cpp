#include "sim/final_checks.h"

#include <algorithm>

#include "codec/digest.h"
#include "codec/form_codec.h"
#include "codec/frame.h"
#include "core/field_view.h"
#include "sim/attachment_checks.h"
#include "sim/counts.h"
#include "sim/device_checks.h"
#include "sim/history_checks.h"
#include "sim/office_copy.h"
#include "sim/visit_form.h"
#include "storage/packing.h"

namespace fieldsync::sim {
namespace {

using Values = std::map<core::FieldKey, std::map<core::ValueId, core::Value>>;

std::string text_of(const core::RecordId& id) { return "record " + id.hex().substr(0, 6); }

std::string text_of(const Book& book, std::uint64_t counter) {
  return "operation " + std::to_string(counter) + " of " + book.name;
}

struct ExpectedRecord {
  Values values;
  std::map<core::DeviceId, std::uint64_t> seen;
};

// --- the office

// A revoked device handed it in. A restored office may have revoked it earlier than before.
bool was_handed_in(const Healed& healed, const Book& book, std::uint64_t counter) {
  const auto had = healed.office.had_when_revoked(book.device);
  return healed.office.is_revoked(book.device) && (!had || counter > *had || healed.server.restores() > 0);
}

void check_quarantined(const Healed& healed, const Book& book, const SavedOperation& saved, const std::string& code) {
  const std::uint64_t counter = saved.operation.id.counter;
  if (saved.poisoned || (code == "device_revoked" && was_handed_in(healed, book, counter))) return;
  const OfficePerson& person = healed.office.people()[book.person];
  const auto& scopes = healed.office.scopes();
  // A restored office may know of other rights than those of the time.
  const auto was_so = [&](const std::map<std::size_t, std::int64_t>& until_ms) {
    return std::any_of(until_ms.begin(), until_ms.end(), [&](const auto& entry) {
      const bool at_the_time = saved.saved_ms <= entry.second || person.is_unsure || healed.server.restores() > 0;
      return scopes[entry.first].id == saved.operation.scope && at_the_time;
    });
  };
  const bool away = code == "scope_not_found" && was_so(person.away_until_ms);
  const bool on_board = code == "not_permitted" && was_so(person.board_until_ms);
  if (!away && !on_board)
    throw BrokenPromise("The office put " + text_of(book, counter) + " into quarantine for no reason: " + code);
}

// What was saved after the right to it was taken away for good may not be applied.
void check_applied(const Healed& healed, const Book& book, const SavedOperation& saved) {
  const OfficePerson& person = healed.office.people()[book.person];
  // A restored office does not know of what it had decided.
  if (person.is_unsure || healed.server.restores() > 0) return;
  if (healed.office.desk().may_have_accepted(saved.operation.id)) return;
  const auto forbids = [&](const std::map<std::size_t, std::int64_t>& since_ms) {
    return std::any_of(since_ms.begin(), since_ms.end(), [&](const auto& entry) {
      return healed.office.scopes()[entry.first].id == saved.operation.scope && saved.saved_ms > entry.second;
    });
  };
  if (forbids(person.away_since_ms) || forbids(person.board_since_ms))
    throw BrokenPromise("The office applied " + text_of(book, saved.operation.id.counter) +
                        ", which its author may not write");
}

// Everything acknowledged is in the history, and either applied or in quarantine.
void check_device_at_office(const Healed& healed, Device& device, const OfficeCopy& copy) {
  const Book& book = device.book();
  const auto known = copy.devices.find(book.device);
  if (known == copy.devices.end()) {
    if (!book.saved.empty() && !healed.office.is_revoked(book.device) && !device.was_wiped())
      throw BrokenPromise(book.name + " is not known at the office");
    return;
  }
  const OfficeDeviceCopy& row = known->second;
  const bool revoked = healed.office.is_revoked(book.device);
  if (row.last_counter > book.saved.size())
    throw BrokenPromise("The office has more of " + book.name + " than it saved");
  const auto had = healed.office.had_when_revoked(book.device);
  if (!revoked && !device.was_wiped() && row.last_counter < book.saved.size())
    throw BrokenPromise("The office misses " + text_of(book, row.last_counter + 1));
  if (row.last_counter < book.promised)
    throw BrokenPromise("The office acknowledged " + text_of(book, book.promised) + " and has not got it");
  for (const auto& [counter, bytes] : row.history) {
    const SavedOperation& saved = book.saved[counter - 1];
    if (saved.bytes != bytes)
      throw BrokenPromise("The office's history of " + text_of(book, counter) + " is not what was saved");
    const bool applied = copy.applied.contains(saved.operation.id);
    const auto quarantined = row.quarantine.find(counter);
    if (applied == (quarantined != row.quarantine.end()))
      throw BrokenPromise(text_of(book, counter) +
                          (applied ? " is applied and in quarantine" : " is neither applied nor in quarantine"));
    const bool may_be_accepted = healed.office.desk().may_have_accepted(saved.operation.id);
    if (applied && revoked && had && healed.server.restores() == 0 && counter > *had && !may_be_accepted)
      throw BrokenPromise("The office applied " + text_of(book, counter) + " after it had revoked the device");
    if (applied && saved.poisoned) throw BrokenPromise(text_of(book, counter) + " was poisoned and is applied");
    if (applied) {
      check_applied(healed, book, saved);
      continue;
    }
    if (quarantined->second != bytes)
      throw BrokenPromise("In quarantine " + text_of(book, counter) + " is not what was saved");
    check_quarantined(healed, book, saved, row.quarantine_code.at(counter));
  }
}

void expect(const core::Operation& operation, std::map<core::RecordId, ExpectedRecord>& expected,
            std::set<std::tuple<core::RecordId, core::FieldKey, core::ValueId>>& replaced) {
  ExpectedRecord& record = expected[operation.record];
  std::uint64_t& seen = record.seen[operation.id.device];
  seen = std::max(seen, operation.id.counter);
  for (std::size_t i = 0; i < operation.writes.size(); ++i) {
    const core::FieldWrite& write = operation.writes[i];
    record.values[write.key][{operation.id, core::place_of_write(operation, i)}] = write.value;
    for (const core::ValueId& value : write.replaces) {
      if (value.operation != operation.id) replaced.insert({operation.record, write.key, value});
    }
  }
}

std::map<core::RecordId, ExpectedRecord> expected_records(const Healed& healed, const OfficeCopy& copy) {
  std::map<core::RecordId, ExpectedRecord> expected;
  std::set<std::tuple<core::RecordId, core::FieldKey, core::ValueId>> replaced;
  for (Device* device : healed.devices) {
    for (const SavedOperation& saved : device->book().saved) {
      if (copy.applied.contains(saved.operation.id)) expect(saved.operation, expected, replaced);
    }
  }
  for (const auto& [record, key, value] : replaced) {
    auto& values = expected[record].values;
    const auto field = values.find(key);
    if (field == values.end()) continue;
    field->second.erase(value);
    if (field->second.empty()) values.erase(field);
  }
  return expected;
}

// Only a value that never comes may still be awaited: its device was revoked, or
// the office refused it when it was sent again.
void check_awaited(const core::RecordState& state, const OfficeCopy& copy) {
  for (const core::Awaited& awaited : state.awaited) {
    if (copy.applied.contains(awaited.value.operation))
      throw BrokenPromise(text_of(state.id) + " waits for a value that came");
  }
}

// Whether a deletion stands that had seen every other value that stands.
bool is_hidden(const Values& values) {
  const auto existence = values.find({{}, core::existence_field});
  if (existence == values.end()) return false;
  for (const auto& [deletion_id, value] : existence->second) {
    const auto* deletion = std::get_if<core::Deletion>(&value);
    if (deletion == nullptr) continue;
    bool covers = true;
    for (const auto& [key, siblings] : values) {
      for (const auto& [id, sibling] : siblings) {
        const bool other_deletion = key == existence->first && std::holds_alternative<core::Deletion>(sibling);
        covers = covers && (id == deletion_id || other_deletion || deletion->seen.covers(id.operation));
      }
    }
    if (covers) return true;
  }
  return false;
}

// Registers that hold more than one distinct value.
std::set<core::FieldKey> conflicts_in(const Values& values) {
  static const std::set<std::uint32_t> registers = {1, 2, 12, 13, 15};
  std::set<core::FieldKey> conflicts;
  for (const auto& [key, siblings] : values) {
    for (const auto& [id, value] : siblings) {
      if (registers.contains(key.field) && value != siblings.begin()->second) conflicts.insert(key);
    }
  }
  return conflicts;
}

void check_record(const core::RecordState& state, const ExpectedRecord& expected) {
  Values values;
  for (const core::FieldState& field : state.fields) {
    for (const core::Sibling& sibling : field.siblings) values[field.key][sibling.id] = sibling.value;
  }
  for (const auto& [key, siblings] : expected.values) {
    for (const auto& [id, value] : siblings) {
      const std::string where = " of field " + std::to_string(key.field) + " in " + text_of(state.id) +
                                ", written by operation " + std::to_string(id.operation.counter) + " of " +
                                id.operation.device.hex().substr(0, 6);
      if (!values[key].contains(id)) throw BrokenPromise("A value is lost that nobody replaced:" + where);
      if (values[key][id] != value) throw BrokenPromise("A value is another than the one that was saved:" + where);
    }
    if (values[key].size() != siblings.size())
      throw BrokenPromise("A value stands that was replaced, in field " + std::to_string(key.field) + " of " +
                          text_of(state.id));
  }
  std::erase_if(values, [](const auto& field) { return field.second.empty(); });
  if (values != expected.values) throw BrokenPromise("Fields stand that nobody wrote, in " + text_of(state.id));
  if (state.hidden() != is_hidden(values))
    throw BrokenPromise("A deletion hides what it had not seen, or does not hide what it had, in " + text_of(state.id));
  std::set<core::OperationId> writers;
  for (const auto& [key, siblings] : values) {
    for (const auto& [id, value] : siblings) writers.insert(id.operation);
  }
  if (writers.size() != state.stamps.size())
    throw BrokenPromise("Stamps are kept of values that do not stand, in " + text_of(state.id));
  std::map<core::DeviceId, std::uint64_t> seen;
  for (const core::OperationId& newest : state.seen.newest) seen[newest.device] = newest.counter;
  if (seen != expected.seen) throw BrokenPromise("What was seen of " + text_of(state.id) + " is not what was applied");
}

const Book& book_of(const Healed& healed, const core::DeviceId& device) {
  for (Device* one : healed.devices) {
    if (one->book().device == device) return one->book();
  }
  throw BrokenPromise("The office has values of a device that nobody has");
}

// What is shown of a count is the sum of those that stand; and none is part of another,
// unless a restored office refused what it had applied.
void check_counts(const Healed& healed, const core::RecordState& state, const core::Form& form) {
  for (const core::FieldState& field : state.fields) {
    const core::FormField* description = form.find(field.key.field);
    if (description == nullptr || description->policy != core::MergePolicy::counter) continue;
    std::int64_t sum = 0;
    std::map<core::DeviceId, std::vector<std::uint64_t>> counters;
    for (const core::Sibling& sibling : field.siblings) {
      const auto* count = std::get_if<std::int64_t>(&sibling.value);
      if (count == nullptr) continue;
      sum += *count;
      const core::OperationId& by = sibling.id.operation;
      const Book& book = book_of(healed, by.device);
      for (const std::uint64_t earlier : counters[by.device]) {
        if (healed.server.restores() == 0 && is_part_of(book, field.key, earlier, by.counter))
          throw BrokenPromise("A count of " + book.name + " stands beside the one that it is part of");
      }
      counters[by.device].push_back(by.counter);
    }
    const core::FieldView view = core::view_field(state, field.key, description);
    if (view.shown.size() != 1 || view.shown.front().value != core::Value(sum))
      throw BrokenPromise("What is shown of a count is not its sum, in " + text_of(state.id));
  }
}

// Where a value still stood when it was replaced, what replaced it is stamped no
// earlier; and no value is stamped later than what had replaced it before it came.
void check_times(const Healed& healed, const OfficeCopy& copy) {
  for (const auto& [id, operation] : copy.applied) {
    if (operation.effective_ms > operation.received_by_ms)
      throw BrokenPromise("Operation " + std::to_string(id.counter) + " is stamped later than it was received");
  }
  std::map<core::ValueId, const IndexedOperation*> first_replaced_by;
  for (Device* device : healed.devices) {
    for (const SavedOperation& saved : device->book().saved) {
      const auto applied = copy.applied.find(saved.operation.id);
      if (applied == copy.applied.end()) continue;
      for (const core::FieldWrite& write : saved.operation.writes) {
        for (const core::ValueId& value : write.replaces) {
          const IndexedOperation*& first = first_replaced_by[value];
          if (first == nullptr || applied->second.seq < first->seq) first = &applied->second;
        }
      }
    }
  }
  for (const auto& [value, by] : first_replaced_by) {
    const auto replaced = copy.applied.find(value.operation);
    if (replaced != copy.applied.end() && replaced->second.effective_ms > by->effective_ms) {
      throw BrokenPromise("Operation " + std::to_string(by->id.counter) + " is stamped earlier than what it replaced");
    }
  }
}

void check_office(const Healed& healed, const OfficeCopy& copy) {
  if (!copy.integrity_problem.empty())
    throw BrokenPromise("The office's database is damaged: " + copy.integrity_problem);
  for (Device* device : healed.devices) check_device_at_office(healed, *device, copy);
  const auto expected = expected_records(healed, copy);
  const auto form = codec::parse_form_text(visit_form(healed.office.form_version()));
  std::size_t records = 0;
  std::size_t conflicts = 0;
  for (const auto& [scope, scope_copy] : copy.scopes) {
    records += scope_copy.records.size();
    for (const auto& [id, record] : scope_copy.records) {
      const auto wanted = expected.find(id);
      if (wanted == expected.end()) throw BrokenPromise("The office has a record that nobody made");
      check_record(record.state, wanted->second);
      check_awaited(record.state, copy);
      check_counts(healed, record.state, form->form);
      for (const core::FieldKey& key : conflicts_in(wanted->second.values)) {
        if (!copy.open_conflicts.contains({id, key}))
          throw BrokenPromise("The office does not know of a conflict in " + text_of(id));
        ++conflicts;
      }
    }
  }
  if (records != expected.size()) throw BrokenPromise("The office misses a record");
  if (conflicts != copy.open_conflicts.size()) throw BrokenPromise("The office waits for decisions that were made");
  // After a restore, operations whose time was never heard of are stamped anew.
  if (healed.server.restores() == 0) check_times(healed, copy);
}

// --- devices

void check_replica(const Book& book, api::LocalStore& store, const core::ScopeId& scope,
                   const OfficeScopeCopy& office) {
  auto select = store.connection->prepare("SELECT id, head, body, shown_head IS NULL FROM record WHERE scope = ?1");
  select.bind_blob(1, scope.view());
  codec::FrameReader frames;
  std::size_t count = 0;
  while (select.step()) {
    const auto id = *core::RecordId::from_bytes(select.blob(0));
    const auto known = office.records.find(id);
    if (known == office.records.end())
      throw BrokenPromise(book.name + " has " + text_of(id) + ", which the office has not");
    const std::string head = store.vault.read({seal::Place::record_head, id.view()}, select.blob(1));
    storage::Unpacker fields(head);
    const std::uint64_t hash = fields.number();
    const std::uint64_t body_hash = fields.number();
    const std::string_view bytes = fields.rest();
    const auto body =
        frames.decompress(store.vault.read({seal::Place::record_body, id.view()}, select.blob(2)), 64 * 1024 * 1024);
    if (bytes != known->second.head || !body || *body != known->second.body ||
        hash != codec::hash_record(bytes, body_hash)) {
      throw BrokenPromise(book.name + " has other bytes of " + text_of(id) + " than the office");
    }
    if (select.integer(3) != 1)
      throw BrokenPromise(book.name + " shows something else than the office, with nothing unsent, in " + text_of(id));
    ++count;
  }
  if (count != office.records.size()) throw BrokenPromise(book.name + " misses records");
}

void check_integrity(const Book& book, api::LocalStore& store) {
  if (const std::string problem = store.connection->integrity_problem(); !problem.empty())
    throw BrokenPromise(book.name + " has a damaged store: " + problem);
}

// What it handed in is at the office, unless that lost it again.
void check_gone_device(const Healed& healed, Device& device, const OfficeCopy& copy) {
  if (device.was_wiped() || healed.server.restores() > 0) return;
  const Book& book = device.book();
  const auto office = copy.devices.find(book.device);
  const std::uint64_t at_office = office == copy.devices.end() ? 0 : office->second.last_counter;
  if (at_office < book.saved.size())
    throw BrokenPromise(book.name + " was erased, and the office misses " + text_of(book, at_office + 1));
  check_handed_in(book, healed.server, healed.album);
}

// It is told nothing any more. What the office has not got, it still has itself.
void check_revoked_device(Device& device, const OfficeCopy& copy) {
  if (!device.is_on()) return;
  const Book& book = device.book();
  api::LocalStore& store = device.store();
  check_integrity(book, store);
  check_saves_survived(book, store);
  std::set<std::uint64_t> waiting;
  for (const storage::StoredOperation& operation : store.outbox.all()) waiting.insert(operation.counter);
  const auto office = copy.devices.find(book.device);
  const std::uint64_t at_office = office == copy.devices.end() ? 0 : office->second.last_counter;
  for (std::uint64_t counter = at_office + 1; counter <= book.saved.size(); ++counter) {
    if (counter > store.identity.acknowledged_counter() && !waiting.contains(counter))
      throw BrokenPromise(book.name + " was revoked and has lost operation " + std::to_string(counter));
  }
}

// What is in quarantine is shown, and what was settled is not.
void check_refused(const Healed& healed, Device& device, const OfficeDeviceCopy& office) {
  const Book& book = device.book();
  const auto refused = device.database().refused();
  if (!refused) throw BrokenPromise(book.name + " cannot say what was refused");
  std::set<std::uint64_t> shown;
  for (const RefusedOperation& operation : *refused) shown.insert(operation.operation.counter);
  for (const std::uint64_t counter : shown) {
    if (!office.quarantine.contains(counter))
      throw BrokenPromise(book.name + " shows a refusal of " + text_of(book, counter) + ", which the office has not");
  }
  for (const auto& [counter, bytes] : office.quarantine) {
    const bool settled = book.settled.contains(counter);
    // A restored office may have applied it, and refused it anew.
    // What is returned is another refusal, which is told again.
    const bool is_told_again =
        healed.server.restores() > 0 || healed.office.desk().may_have_returned({book.device, counter});
    const bool may_be_either = book.perhaps_settled.contains(counter) || (settled && is_told_again);
    if (!may_be_either && shown.contains(counter) == settled)
      throw BrokenPromise(book.name +
                          (settled ? " shows a refusal that was settled: " : " shows nothing of a refusal: ") +
                          text_of(book, counter));
  }
}

void check_device(const Healed& healed, Device& device, const OfficeCopy& copy) {
  api::LocalStore& store = device.store();
  const Book& book = device.book();
  check_integrity(book, store);
  auto waiting = store.connection->prepare("SELECT count(*) FROM operation");
  if (waiting.step() && waiting.integer(0) != 0)
    throw BrokenPromise(book.name + " has synced and holds operations that wait");
  const OfficePerson& person = healed.office.people()[book.person];
  for (std::size_t i = 0; i < healed.office.scopes().size(); ++i) {
    const core::ScopeId& scope = healed.office.scopes()[i].id;
    const bool member = std::find(person.scopes.begin(), person.scopes.end(), i) != person.scopes.end();
    if (member) {
      check_replica(book, store, scope, copy.scopes.at(scope));
    } else if (store.records.count(scope) > 0) {
      throw BrokenPromise(book.name + " still holds records of a scope that was taken away");
    }
  }
  const auto status = device.database().status();
  if (!status || status->saved_here != 0) throw BrokenPromise(book.name + " does not say that it is done");
  const auto office = copy.devices.find(book.device);
  if (office != copy.devices.end()) check_refused(healed, device, office->second);
}

// Where the device's person may write.
std::set<core::ScopeId> writable_scopes(const Healed& healed, const Book& book) {
  const OfficePerson& person = healed.office.people()[book.person];
  std::set<core::ScopeId> scopes;
  for (const std::size_t scope : person.scopes) {
    if (!person.on_board.contains(scope)) scopes.insert(healed.office.scopes()[scope].id);
  }
  return scopes;
}

std::string why_not_erased(const Healed& healed, Device& device) {
  if (!device.is_on() || !device.is_enrolled()) return {};
  bool knows = false;
  const auto looked = healed.server.store().read([&](server::ReadTransaction& transaction) -> Result<void> {
    const auto row = transaction.device_by_id(device.book().device);
    // Where it was restored to before its enrolment, it enrols again.
    knows = row && row->revoked;
    return {};
  });
  if (!looked) return "the office's database cannot be read";
  return knows ? device.book().name + " was revoked and is not erased" : "";
}

std::string why_not_done(const Healed& healed, Device& device) {
  if (device.is_gone()) return {};
  if (healed.office.is_revoked(device.book().device)) return why_not_erased(healed, device);
  if (!device.is_on() || !device.is_enrolled()) return device.book().name + " is not enrolled";
  const Book& book = device.book();
  api::LocalStore& store = device.store();
  if (store.identity.acknowledged_counter() != store.identity.last_counter())
    return book.name + " has unsent operations";
  if (device.synced_at_ms().value_or(-1) < healed.began_ms) return book.name + " has not synced since";
  const core::Form* form = store.directory.form("visit");
  if (!book.keeps_old_form && (form == nullptr || form->version != healed.office.form_version()))
    return book.name + " has not got the form's newest version";
  const auto scopes = store.directory.scopes();
  const OfficePerson& person = healed.office.people()[book.person];
  if (scopes.size() != person.scopes.size()) return book.name + " has other scopes than its person";
  if (std::string moves = attachment_to_move(book, store, writable_scopes(healed, book)); !moves.empty()) return moves;
  std::string reason;
  const auto looked = healed.server.store().read([&](server::ReadTransaction& transaction) -> Result<void> {
    for (const storage::ScopeRow& scope : scopes) {
      const auto row = transaction.scope(scope.id);
      const auto cursor = server::open_cursor(scope.cursor, book.device, healed.server.cursor_key());
      if (!row || !cursor || cursor->epoch != row->epoch || cursor->seq != row->head) {
        reason = book.name + " has not read " + scope.name + " to its end";
      } else if (scope.digest != row->digest) {
        reason = book.name + " has another digest of " + scope.name + " than the office";
      }
    }
    return {};
  });
  return looked ? reason : "the office's database cannot be read";
}

}  // namespace

std::string who_is_not_done(const Healed& healed) {
  if (!healed.server.is_up()) return "the server is not up";
  for (Device* device : healed.devices) {
    if (std::string reason = why_not_done(healed, *device); !reason.empty()) return reason;
  }
  return {};
}

bool everybody_is_done(const Healed& healed) { return who_is_not_done(healed).empty(); }

void check_healed(const Healed& healed) {
  const OfficeCopy copy = read_office(healed.server);
  check_office(healed, copy);
  check_published(healed.server);
  check_history(healed);
  for (Device* device : healed.devices) {
    if (device->is_gone()) {
      check_gone_device(healed, *device, copy);
    } else if (healed.office.is_revoked(device->book().device)) {
      check_revoked_device(*device, copy);
    } else {
      check_device(healed, *device, copy);
      check_delivered(device->book(), device->database(), device->store(), copy,
                      writable_scopes(healed, device->book()), healed.server, healed.album);
    }
  }
}

}  // namespace fieldsync::sim
