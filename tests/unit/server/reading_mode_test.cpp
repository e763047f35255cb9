// The reading mode `own`: who reads and writes which records of their scope, and how that changes.
#include "attachment_office.h"
#include "service/quarantine.h"

using namespace fieldsync;
using namespace fieldsync::testing;
using server::ReadingMode;
using server::Role;

namespace {

using Ids = std::set<std::string>;

// A coordinator who reads everything, and a guest who reads their own.
struct Start : AttachmentOffice {
  core::PersonId guest = add_person(Role::monitor, scope, ReadingMode::own);
  core::PersonId coordinator = add_person(Role::coordinator, scope);
  TestDevice coordinators = add_device(coordinator);
  TestDevice guests = add_device(guest);

  Start() { have_notes(); }

  core::RecordId save(TestDevice& device, const std::string& text, const core::RecordId& record = new_record()) {
    push(device, {device.save(scope, record, {writes_text(text)})});
    return record;
  }
  core::RecordId note_on(TestDevice& device, const core::RecordId& visit, std::vector<core::FieldWrite> more = {}) {
    const core::RecordId note = new_record();
    more.push_back({{{}, office_fields::part_of}, core::Value{visit}, {}});
    push(device, {device.save(scope, note, std::move(more), 0, "note")});
    return note;
  }
  Ids held(TestDevice& device) {
    pull(device);
    Ids ids;
    for (const auto& [id, record] : device.records[std::string(scope.view())]) ids.insert(id);
    return ids;
  }
  std::string code_of_saving(TestDevice& device, const core::RecordId& record) {
    const v1::SyncReply reply = push(device, {device.save(scope, record, {writes_text("more")})});
    return reply.results_size() == 0 ? "applied" : reply.results(0).code();
  }
  // Of the log's entries, in order.
  std::vector<std::string> read_by_guests() {
    std::vector<std::string> records;
    REQUIRE(store->read([&](server::ReadTransaction& transaction) -> Result<void> {
      v1::AuditEntry entry;
      for (std::uint64_t number = 1; const auto row = transaction.audit_entry(number); ++number) {
        if (!entry.ParseFromString(row->entry)) return Error{Errc::storage_corrupt, {}};
        if (entry.read().device() != guests.id.view()) continue;
        for (const v1::ScopeRead& read : entry.read().scopes()) {
          for (const std::string& record : read.records()) records.push_back(core::to_hex(record));
        }
      }
      return {};
    }));
    return records;
  }
  std::string digest_of_own() {
    // The next request is told nothing where its digest is right.
    const auto reply = sync(guests, guests.request());
    REQUIRE(reply);
    for (const v1::ScopeChanges& changes : reply->scopes()) {
      if (changes.restart()) return "differs";
    }
    return "agrees";
  }
};

}  // namespace

TEST_CASE("In the mode own a person reads what they write and reference data, and nothing else") {
  Start office;
  office.save(office.coordinators, "Theirs.");
  const core::RecordId facility = new_record();
  office.push(office.coordinators,
              {office.coordinators.save(office.scope, facility, {writes_text("Osh")}, 0, "facility")});
  const core::RecordId own = office.save(office.guests, "Mine.");
  CHECK(office.held(office.guests) == Ids{own.hex(), facility.hex()});
  CHECK(office.held(office.coordinators).size() == 3);
  CHECK(office.digest_of_own() == "agrees");
  // A second device of theirs begins from nothing.
  TestDevice second = office.add_device(office.guest);
  CHECK(office.held(second) == Ids{own.hex(), facility.hex()});
}

TEST_CASE("In the mode own what is read of sensitive records is put on record, and nothing else") {
  Start office;
  const core::RecordId joined = office.save(office.coordinators, "The guest's, too.");
  office.save(office.coordinators, "The coordinators' alone.");
  CHECK(office.held(office.guests).empty());
  CHECK(office.read_by_guests().empty());
  office.join(office.guest, joined);
  CHECK(office.held(office.guests) == Ids{joined.hex()});
  CHECK(office.read_by_guests() == std::vector<std::string>{joined.hex()});
  // Nothing new: nothing is read.
  static_cast<void>(office.held(office.guests));
  CHECK(office.read_by_guests().size() == 1);
}

TEST_CASE("Who joins a record gets all of it, its parts too, and what follows") {
  Start office;
  const core::RecordId visit = office.save(office.coordinators, "First.");
  office.save(office.coordinators, "Second.", visit);
  const core::RecordId note = office.note_on(office.coordinators, visit);
  CHECK(office.held(office.guests).empty());
  office.join(office.guest, visit);
  CHECK(office.held(office.guests) == Ids{visit.hex(), note.hex()});
  const core::RecordId later = office.note_on(office.coordinators, visit);
  office.save(office.coordinators, "Third.", visit);
  CHECK(office.held(office.guests) == Ids{visit.hex(), note.hex(), later.hex()});
  const auto& kept = office.guests.records[std::string(office.scope.view())];
  for (const auto& [id, record] : office.coordinators.records[std::string(office.scope.view())])
    CHECK((kept.contains(id) && kept.at(id) == record));
  CHECK(office.guests.changes_without_record == 0);
  CHECK(office.digest_of_own() == "agrees");
}

TEST_CASE("What was joined comes page by page, each record once and none left out") {
  Start office;
  const core::RecordId visit = office.save(office.coordinators, "The visit.");
  Ids all{visit.hex()};
  for (int i = 0; i < 30; ++i) all.insert(office.note_on(office.coordinators, visit).hex());
  office.held(office.guests);
  office.join(office.guest, visit);
  CHECK(office.pull(office.guests, 200) > 5);
  CHECK(office.held(office.guests) == all);
  CHECK(office.digest_of_own() == "agrees");
}

TEST_CASE("Who leaves a record is told so at once; what they still had to say is taken, and is gone with it") {
  Start office;
  const core::RecordId visit = office.save(office.coordinators, "The visit.");
  office.join(office.guest, visit);
  office.note_on(office.coordinators, visit);
  CHECK(office.held(office.guests).size() == 2);
  office.leave(office.guest, visit);
  CHECK(office.code_of_saving(office.guests, visit) == "applied");
  CHECK(office.held(office.guests).empty());
  CHECK(office.digest_of_own() == "agrees");
  // The words arrived, and writing again does not bring the reader back.
  CHECK(office.code_of_saving(office.guests, visit) == "applied");
  CHECK(office.held(office.guests).empty());
  CHECK(office.held(office.coordinators).size() == 2);
  // Nor does a note that somebody else adds.
  office.note_on(office.coordinators, visit);
  CHECK(office.held(office.guests).empty());
  office.join(office.guest, visit);
  CHECK(office.held(office.guests).size() == 3);
}

TEST_CASE("What a person in the mode own may not read they may not change either, as if it were another scope's") {
  Start office;
  const core::RecordId theirs = office.save(office.coordinators, "Theirs.");
  CHECK(office.code_of_saving(office.guests, theirs) == "scope_not_found");
  CHECK(office.held(office.guests).empty());
  // A note on it is theirs alone, and opens nothing.
  const core::RecordId note = office.note_on(office.guests, theirs);
  CHECK(office.held(office.guests) == Ids{note.hex()});
}

TEST_CASE("A part in another scope is no way into that scope") {
  Start office;
  TestDevice other = office.add_device(office.add_person(Role::coordinator, office.other_scope));
  const core::RecordId visit = office.save(office.coordinators, "The visit.");
  office.push(other, {other.save(office.other_scope, new_record(),
                                 {{{{}, office_fields::part_of}, core::Value{visit}, {}},
                                  {{{}, office_fields::photo}, core::Value{photo_of(some_bytes(90, 9))}, {}}},
                                 0, "note")});
  office.join(office.guest, visit);
  CHECK(office.held(office.guests) == Ids{visit.hex()});
  CHECK_FALSE(office.offer(office.guests, file_of(some_bytes(90, 9))));
}

TEST_CASE("A person whose mode changes reads anew: less, or all") {
  Start office;
  const core::RecordId theirs = office.save(office.coordinators, "Theirs.");
  const core::RecordId own = office.save(office.guests, "Mine.");
  CHECK(office.held(office.guests) == Ids{own.hex()});
  office.set_role(office.guest, office.scope, Role::monitor);
  CHECK(office.held(office.guests) == Ids{own.hex(), theirs.hex()});
  office.set_role(office.guest, office.scope, Role::monitor, ReadingMode::own);
  CHECK(office.held(office.guests) == Ids{own.hex()});
  CHECK(office.digest_of_own() == "agrees");
  office.set_role(office.guest, office.scope, Role::administrator);
  office.guests.cursors.clear();
  CHECK(office.held(office.guests) == Ids{own.hex()});
}

TEST_CASE("An attachment is read by who takes part in a record that names it") {
  Start office;
  const std::string bytes = some_bytes(300);
  const core::AttachmentFile file = file_of(bytes);
  const core::RecordId visit = office.save(office.coordinators, "The visit.");
  office.note_on(office.coordinators, visit, {{{{}, office_fields::photo}, core::Value{photo_of(bytes)}, {}}});
  office.send(office.coordinators, bytes);
  CHECK(outcome_of(office.get(office.guests, file.id)) == "not_found");
  CHECK(outcome_of(office.put(office.guests, file.id, 0, bytes)) == "not_found");
  CHECK_FALSE(office.offer(office.guests, file));
  office.join(office.guest, visit);
  CHECK(*office.get(office.guests, file.id) == bytes);
  office.leave(office.guest, visit);
  CHECK(outcome_of(office.get(office.guests, file.id)) == "not_found");
}

TEST_CASE("In the mode own, naming a file by its hash is no way to read it, nor to learn that it is there") {
  Start office;
  const std::string bytes = some_bytes(300);
  const core::AttachmentFile file = file_of(bytes);
  office.name(office.coordinators, office.scope, photo_of(bytes));
  office.send(office.coordinators, bytes);
  const std::string unknown = some_bytes(300, 2);
  for (const std::string& each : {bytes, unknown}) office.name(office.guests, office.scope, photo_of(each));
  CHECK(outcome_of(office.get(office.guests, file.id)) == "not_found");
  CHECK(told(*office.offer(office.guests, file)) == Told{0, false});
  CHECK(told(*office.offer(office.guests, file_of(unknown))) == Told{0, false});
  // Who has the bytes sends them, as everybody would.
  office.send(office.guests, bytes);
  CHECK(*office.get(office.guests, file.id) == bytes);
  // What they could read before needs no proof.
  office.name(office.guests, office.scope, photo_of(bytes));
  CHECK(told(*office.offer(office.guests, file)) == Told{300, true});
}

TEST_CASE("Who was taken out of a record cannot open it to somebody else") {
  Start office;
  const core::PersonId friend_of_theirs = office.add_person(Role::monitor, office.scope, ReadingMode::own);
  TestDevice friends = office.add_device(friend_of_theirs);
  const core::RecordId other_visit = office.save(friends, "Another visit.");
  const core::RecordId visit = office.save(office.coordinators, "The visit.");
  office.join(office.guest, visit);
  const core::RecordId note = office.note_on(office.coordinators, visit);
  office.leave(office.guest, visit);
  const v1::SyncReply reply = office.push(
      office.guests, {office.guests.save(office.scope, note,
                                         {{{{}, office_fields::part_of}, core::Value{other_visit}, {}}}, 0, "note")});
  CHECK(reply.results_size() == 0);
  CHECK(office.held(friends) == Ids{other_visit.hex()});
  // Who reads it may: it is theirs to show.
  office.join(office.guest, note);
  const v1::SyncReply again = office.push(
      office.guests, {office.guests.save(office.scope, note,
                                         {{{{}, office_fields::part_of}, core::Value{other_visit}, {}}}, 0, "note")});
  CHECK(again.results_size() == 0);
  CHECK(office.held(friends) == Ids{other_visit.hex(), note.hex()});
}

TEST_CASE("A record that was part of the wrong one brings nobody more who comes to that later") {
  Start office;
  const core::RecordId wrong = office.save(office.coordinators, "Wrong.");
  const core::RecordId right = office.save(office.coordinators, "Right.");
  const core::RecordId note = office.note_on(office.coordinators, wrong);
  const core::OperationId first{office.coordinators.id, office.coordinators.last_counter};
  office.push(office.coordinators,
              {office.coordinators.save(
                  office.scope, note, {{{{}, office_fields::part_of}, core::Value{right}, {{first, 0}}}}, 0, "note")});
  office.join(office.guest, wrong);
  CHECK(office.held(office.guests) == Ids{wrong.hex()});
  office.join(office.guest, right);
  CHECK(office.held(office.guests) == Ids{wrong.hex(), right.hex(), note.hex()});
}

TEST_CASE("Reference data open nothing that is part of them") {
  Start office;
  office.have_form(R"(
    name: "room" version: 1 part_of: "place" labels { language: "en" text: "Room" }
    fields { number: 1 name: "place" type: FIELD_TYPE_REFERENCE confidentiality: CONFIDENTIALITY_TEAM
             labels { language: "en" text: "Place" } })");
  const core::RecordId facility = new_record();
  const auto saves = [&](TestDevice& device, const char* text) {
    office.push(device, {device.save(office.scope, facility, {writes_text(text)}, 0, "facility")});
  };
  saves(office.coordinators, "Osh");
  office.push(office.coordinators, {office.coordinators.save(office.scope, new_record(),
                                                             {{{{}, 1}, core::Value{facility}, {}}}, 0, "room")});
  saves(office.guests, "Osh prison");
  CHECK(office.held(office.guests) == Ids{facility.hex()});
}

TEST_CASE("Who makes a record of an id that others' records name gets none of those") {
  Start office;
  const core::RecordId unknown = new_record();
  office.note_on(office.coordinators, unknown);
  office.save(office.guests, "Mine.", unknown);
  CHECK(office.held(office.guests) == Ids{unknown.hex()});
}

TEST_CASE("One save that the office accepts gives no right to the next") {
  Start office;
  const core::RecordId theirs = office.save(office.coordinators, "Theirs.");
  CHECK(office.code_of_saving(office.guests, theirs) == "scope_not_found");
  REQUIRE(server::accept_quarantined(*office.store, office.service->audit_log(),
                                     {office.guests.id, office.guests.last_counter}));
  CHECK(office.code_of_saving(office.guests, theirs) == "scope_not_found");
  CHECK(office.held(office.guests).empty());
}

TEST_CASE("A photo that came with a save in quarantine is read, once it is accepted, by all who take part") {
  Start office;
  const std::string bytes = some_bytes(300);
  const core::RecordId theirs = office.save(office.coordinators, "Theirs.");
  office.push(office.guests, {office.guests.save(office.scope, theirs,
                                                 {{{{}, office_fields::photo}, core::Value{photo_of(bytes)}, {}}})});
  office.send(office.guests, bytes);
  REQUIRE(server::accept_quarantined(*office.store, office.service->audit_log(),
                                     {office.guests.id, office.guests.last_counter}));
  CHECK(outcome_of(office.get(office.guests, file_of(bytes).id)) == "not_found");
  office.join(office.guest, theirs);
  CHECK(*office.get(office.guests, file_of(bytes).id) == bytes);
}

TEST_CASE("Who comes back to a record gets all of it, also with words of their own on the way") {
  Start office;
  const core::RecordId visit = office.save(office.coordinators, "The visit.");
  office.join(office.guest, visit);
  CHECK(office.held(office.guests).size() == 1);
  office.leave(office.guest, visit);
  CHECK(office.held(office.guests).empty());
  office.join(office.guest, visit);
  CHECK(office.code_of_saving(office.guests, visit) == "applied");
  CHECK(office.held(office.guests) == Ids{visit.hex()});
  CHECK(office.digest_of_own() == "agrees");
}

TEST_CASE("A save under another form's name tells nothing of a hidden record") {
  Start office;
  const core::RecordId theirs = office.save(office.coordinators, "Theirs.");
  const v1::SyncReply reply =
      office.push(office.guests, {office.guests.save(office.scope, theirs, {writes_text("x")}, 0, "facility")});
  REQUIRE(reply.results_size() == 1);
  CHECK(reply.results(0).code() == "scope_not_found");
}

TEST_CASE("In the mode own a person learns the names of those whom they share a record with, and no others") {
  Start office;
  const auto names = [&](TestDevice& device) {
    std::set<std::string> ids;
    const auto reply = office.sync(device, device.request());
    REQUIRE(reply);
    device.take(*reply);
    for (const v1::Person& person : reply->people()) ids.insert(person.id());
    return ids;
  };
  const std::string guest(office.guest.view());
  const std::string coordinator(office.coordinator.view());
  CHECK(names(office.guests) == std::set<std::string>{guest});
  CHECK(names(office.coordinators).size() == 3);
  const core::RecordId visit = office.save(office.coordinators, "The visit.");
  // The monitor takes part in a record too, of which the guest is told nothing.
  office.save(office.phone, "Another visit.");
  office.join(office.guest, visit);
  CHECK(names(office.guests) == std::set<std::string>{guest, coordinator});
}
