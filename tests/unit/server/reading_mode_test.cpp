// The reading mode `own`: who reads and writes which records of their scope, and how that changes.
#include "attachment_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;
using server::ReadingMode;
using server::Role;

namespace {

using Ids = std::set<std::string>;

// A coordinator who reads everything, and a guest who reads their own.
struct Start : AttachmentOffice {
  core::PersonId guest = add_person(Role::monitor, scope, ReadingMode::own);
  TestDevice coordinators = add_device(add_person(Role::coordinator, scope));
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
