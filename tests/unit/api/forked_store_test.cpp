// An older copy of a store was put back, or one store was taken to two devices:
// nobody's save is lost in silence, and enrolling again brings everything together.
#include "forked_store.h"

using namespace fieldsync;
using namespace fieldsync::testing;

TEST_CASE("A save in an older copy that was put back does not pass for the one that had its number") {
  Start start;
  start.app.write("summary", text("Before the copy."));
  start.app.sync();
  const std::string copy = start.app.copy_store();
  const core::RecordId lost = start.app.write("summary", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  const core::RecordId later = start.app.write("summary", text("Saved in the copy."));
  for (int i = 0; i < 2; ++i) {
    CHECK(verdict(start.app->sync({})) == "device_forked");
    CHECK(must(start.app->status()).saved_here == 1);
    CHECK(start.app.shown(later, "summary") == Values{text("Saved in the copy.")});
    CHECK(operations_at(start.office) == 2);
  }
  const core::DeviceId former = start.app->identity().device;
  start.enrol_again(start.app);
  CHECK(start.app->identity().device != former);
  CHECK(must(start.app->status()).saved_here == 1);
  CHECK(start.app.shown(later, "summary") == Values{text("Saved in the copy.")});
  start.check_same(start.app, start.reader);
  for (App* app : {&start.app, &start.reader}) {
    CHECK((*app).shown(lost, "summary") == Values{text("After the copy.")});
    CHECK((*app).shown(later, "summary") == Values{text("Saved in the copy.")});
  }
  CHECK(operations_at(start.office) == 3);
  start.app.restart();
  start.app.edit(later, "summary", text("And on."));
  start.check_same(start.app, start.reader);
  CHECK(start.reader.shown(later, "summary") == Values{text("And on.")});
}

TEST_CASE("An older copy is noticed before anything is saved in it") {
  Start start;
  const std::string copy = start.app.copy_store();
  const core::RecordId record = start.app.write("summary", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  CHECK(verdict(start.app->sync({})) == "device_forked");
  CHECK(must(start.app->status()).sent == 0);
  start.enrol_again(start.app);
  start.check_same(start.app, start.reader);
  CHECK(start.app.shown(record, "summary") == Values{text("After the copy.")});
  CHECK(operations_at(start.office) == 1);
}

TEST_CASE("A save that is made while the older copy is being noticed is not lost") {
  Start start;
  const core::RecordId record = start.app.write("summary", text("Before the copy."));
  start.app.sync();
  const std::string copy = start.app.copy_store();
  start.app.edit(record, "summary", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  bool saved = false;
  start.app.on_the_way = [&] {
    if (saved) return;
    saved = true;
    start.app.edit(record, "summary", text("Saved in the copy."));
  };
  CHECK(verdict(start.app->sync({})) == "device_forked");
  CHECK(must(start.app->status()).saved_here == 1);
  start.enrol_again(start.app);
  start.check_same(start.app, start.reader);
  CHECK(sorted(start.reader.shown(record, "summary")) == Values{text("After the copy."), text("Saved in the copy.")});
  CHECK(start.reader.in_conflict(record, "summary"));
}

TEST_CASE("One store on two devices: who comes second is told, and both go on") {
  Start start;
  const core::RecordId record = start.app.write("summary", text("Before."));
  start.app.sync();
  App twin(start.office, App::Fresh{});
  twin.put_back(start.app.copy_store());
  start.app.edit(record, "summary", text("On the phone."));
  twin.edit(record, "summary", text("On the tablet."));
  twin.edit(record, "beds", std::int64_t{4});
  start.app.sync();
  CHECK(verdict(twin->sync({})) == "device_forked");
  CHECK(must(twin->status()).saved_here == 2);
  start.app.edit(record, "beds", std::int64_t{5});
  start.app.sync();
  start.enrol_again(twin);
  start.check_same(twin, start.reader);
  start.check_same(start.app, start.reader);
  start.check_same(twin, start.reader);
  for (App* app : {&start.app, &twin, &start.reader}) {
    CHECK(sorted((*app).shown(record, "summary")) == Values{text("On the phone."), text("On the tablet.")});
    CHECK(sorted((*app).shown(record, "beds")) == Values{std::int64_t{4}, std::int64_t{5}});
  }
}

TEST_CASE("What the office has already is not sent a second time under the new id") {
  Start start;
  const core::RecordId record = start.app.write("interviews", std::int64_t{2});
  start.app.sync();
  start.app.edit(record, "interviews", std::int64_t{3});
  start.app.edit(record, "follow_up", text("Saved before the copy."));
  const std::string copy = start.app.copy_store();
  start.app.edit(record, "interviews", std::int64_t{10});
  start.app.edit(record, "follow_up", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  start.app.edit(record, "interviews", std::int64_t{100});
  start.app.edit(record, "interviews", std::int64_t{1000});
  start.app.edit(record, "follow_up", text("Saved in the copy."));
  CHECK(start.app.shown(record, "interviews") == Values{std::int64_t{1105}});
  CHECK(verdict(start.app->sync({})) == "device_forked");
  start.enrol_again(start.app);
  CHECK(start.app.shown(record, "interviews") == Values{std::int64_t{1105}});
  start.check_same(start.app, start.reader);
  CHECK(start.reader.shown(record, "interviews") == Values{std::int64_t{1115}});
  CHECK(sorted(start.reader.shown(record, "follow_up")) ==
        Values{text("After the copy."), text("Saved before the copy."), text("Saved in the copy.")});
  CHECK(operations_at(start.office) == 8);
}

TEST_CASE("An older copy whose saves the office has all, in another cut, ends without doubles") {
  Start start;
  const core::RecordId record = start.app.write("follow_up", text("First."));
  const std::string copy = start.app.copy_store();
  start.app.edit(record, "follow_up", text("Second."));
  start.app.sync();
  start.app.put_back(copy);
  CHECK(verdict(start.app->sync({})) == "device_forked");
  start.enrol_again(start.app);
  // The record stays on the screen until it is told again.
  CHECK(start.app.shown(record, "follow_up") == Values{text("First.")});
  start.check_same(start.app, start.reader);
  CHECK(start.app.shown(record, "follow_up") == Values{text("First."), text("Second.")});
  CHECK(operations_at(start.office) == 2);
}

TEST_CASE("Histories that are the same over many batches are compared to where they differ") {
  Start start;
  for (int i = 0; i < 600; ++i) start.app.write("summary", text("Cell " + std::to_string(i)));
  const std::string copy = start.app.copy_store();
  const core::RecordId after = start.app.write("summary", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  const core::RecordId later = start.app.write("summary", text("Saved in the copy."));
  CHECK(verdict(start.app->sync({})) == "device_forked");
  start.enrol_again(start.app);
  CHECK(must(start.app->status()).saved_here == 1);
  start.check_same(start.app, start.reader);
  CHECK(operations_at(start.office) == 602);
  CHECK(start.reader.shown(after, "summary") == Values{text("After the copy.")});
  CHECK(start.reader.shown(later, "summary") == Values{text("Saved in the copy.")});
}

TEST_CASE("What a save replaced and what a deletion had seen keep their meaning under the new id") {
  Start start;
  const core::RecordId edited = start.app.write("summary", text("Before."));
  const core::RecordId deleted = start.app.write("summary", text("Before."));
  start.app.sync();
  start.reader.sync();
  const std::string copy = start.app.copy_store();
  start.app.write("summary", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  start.app.edit(edited, "summary", text("Second."));
  start.app.edit(edited, "summary", text("Third."));
  start.app.edit(deleted, "summary", text("Second."));
  must(start.app->delete_record(deleted));
  const core::RecordId made = start.app.write("summary", text("Made and deleted in the copy."));
  must(start.app->delete_record(made));
  CHECK(verdict(start.app->sync({})) == "device_forked");
  start.enrol_again(start.app);
  start.check_same(start.app, start.reader);
  CHECK(start.reader.shown(edited, "summary") == Values{text("Third.")});
  CHECK(must(start.reader->read(deleted)).deleted);
  CHECK(must(start.reader->read(made)).deleted);
}

TEST_CASE("What the office refused under the former id stays listed") {
  Start start;
  App other(start.office);
  const core::RecordId record = start.app.write("summary", text("Before."));
  start.app.sync();
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::board);
  start.app.edit(record, "summary", text("Refused."));
  start.app.sync();
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::monitor);
  REQUIRE(must(start.app->refused()).size() == 1);
  const core::OperationId refused = must(start.app->refused())[0].operation;
  const std::string copy = start.app.copy_store();
  start.app.edit(record, "beds", std::int64_t{1});
  start.app.sync();
  start.app.put_back(copy);
  start.app.edit(record, "beds", std::int64_t{2});
  CHECK(verdict(start.app->sync({})) == "device_forked");
  start.enrol_again(start.app);
  start.check_same(start.app, start.reader);
  REQUIRE(must(start.app->refused()).size() == 1);
  CHECK(must(start.app->refused())[0].operation == refused);
  CHECK(must(start.app->status()).refused == 1);
  CHECK(must(start.app->status()).durable == 1);
}

TEST_CASE("A count on top of a refused one goes on from what the office has") {
  Start start;
  const core::RecordId record = start.app.write("interviews", std::int64_t{1});
  start.app.sync();
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::board);
  start.app.edit(record, "interviews", std::int64_t{10});
  start.app.faults = {lost_reply()};
  CHECK(verdict(start.app->sync({.retries = 0})) == "connection_lost");
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::monitor);
  const std::string copy = start.app.copy_store();
  start.app.write("summary", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  start.app.edit(record, "interviews", std::int64_t{100});
  CHECK(verdict(start.app->sync({})) == "device_forked");
  start.enrol_again(start.app);
  start.check_same(start.app, start.reader);
  CHECK(start.reader.shown(record, "interviews") == Values{std::int64_t{101}});
}

TEST_CASE("A device that is not forked stays the same one when it enrols again, also after a false alarm") {
  Start start;
  start.app.write("summary", text("Cell 4."));
  start.app.faults = {answer({409, "application/x-protobuf",
                              "\x0a\x0d"
                              "device_forked"})};
  CHECK(verdict(start.app->sync({})) == "device_forked");
  start.app.sync();
  const core::DeviceId device = start.app->identity().device;
  start.enrol_again(start.app);
  CHECK(start.app->identity().device == device);
  start.check_same(start.app, start.reader);
  CHECK(operations_at(start.office) == 1);
}

TEST_CASE("Saves do not become another person's: their code is refused, the right one still works") {
  Start start;
  const std::string copy = start.app.copy_store();
  start.app.write("summary", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  start.app.write("summary", text("Saved in the copy."));
  CHECK(verdict(start.app->sync({})) == "device_forked");
  const core::PersonId other = start.office.add_person(server::Role::monitor, start.office.scope);
  const core::DeviceId former = start.app->identity().device;
  CHECK(verdict(start.app->enrol(start.office.enrolment_for(other), "A phone")) == "not_permitted");
  CHECK(start.app->identity().device == former);
  CHECK(start.app->identity().person == start.office.monitor);
  CHECK(must(start.app->status()).saved_here == 1);
  start.enrol_again(start.app);
  start.check_same(start.app, start.reader);
  CHECK(operations_at(start.office) == 2);
}

TEST_CASE("Where the answer to the second enrolment is lost, the same code and a new one answer once more") {
  for (const bool new_code : {false, true}) {
    Start start;
    start.fork();
    const std::string code = start.office.enrolment_for(start.office.monitor);
    start.app.faults = {lost_reply()};
    CHECK(verdict(start.app->enrol(code, "A phone")) == "connection_lost");
    start.app.restart();
    must(start.app->enrol(new_code ? start.office.enrolment_for(start.office.monitor) : code, "A phone"));
    start.check_same(start.app, start.reader);
  }
}

TEST_CASE("A second enrolment whose lost answer was for another person, or was revoked since, does not bar the next") {
  for (const bool revoked : {false, true}) {
    Start start;
    start.fork();
    const core::PersonId other = start.office.add_person(server::Role::monitor, start.office.scope);
    start.app.faults = {lost_reply()};
    CHECK(verdict(start.app->enrol(start.office.enrolment_for(revoked ? start.office.monitor : other), "A phone")) ==
          "connection_lost");
    if (revoked) start.revoke_newest();
    start.app.restart();
    start.enrol_again(start.app);
    CHECK(start.app->identity().person == start.office.monitor);
    start.check_same(start.app, start.reader);
    CHECK(operations_at(start.office) == 2);
  }
}

TEST_CASE("Saves do not go to another office: its text is refused before anybody is asked") {
  Start start;
  const std::string copy = start.app.copy_store();
  start.app.write("summary", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  start.app.write("summary", text("Saved in the copy."));
  CHECK(verdict(start.app->sync({})) == "device_forked");
  std::string other = start.office.enrolment_for(start.office.monitor);
  other.replace(other.find(std::string(64, 'a')), 64, std::string(64, 'b'));
  const int exchanges = start.app.exchanges;
  CHECK(verdict(start.app->enrol(other, "A phone")) == "not_permitted");
  CHECK(start.app.exchanges == exchanges);
  start.enrol_again(start.app);
  start.check_same(start.app, start.reader);
  CHECK(operations_at(start.office) == 2);
}

TEST_CASE("An editor that was open while the device enrolled again does not save under the former id") {
  Start start;
  const core::RecordId record = start.app.write("summary", text("Before."));
  start.app.sync();
  const std::string copy = start.app.copy_store();
  start.app.edit(record, "summary", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  start.app.edit(record, "summary", text("Saved in the copy."));
  CHECK(verdict(start.app->sync({})) == "device_forked");
  RecordEditor editor = start.app.open_editor(record);
  must(editor.set("summary", text("Typed meanwhile.")));
  start.enrol_again(start.app);
  CHECK(verdict(editor.save()) == "device_forked");
  start.app.edit(record, "summary", text("Typed again."));
  start.check_same(start.app, start.reader);
  CHECK(sorted(start.reader.shown(record, "summary")) == Values{text("After the copy."), text("Typed again.")});
}
