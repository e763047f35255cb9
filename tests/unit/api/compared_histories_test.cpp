// A store that has a second copy compares its history with the office's, which may have been
// restored in between: nothing counts as acknowledged that was not proven.
#include "forked_store.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

// The office has the first save when it is copied. The twin knows the first two, the
// app four, and the twin comes first to the office that was restored.
struct Restored : Start {
  core::RecordId record;
  App twin{office, App::Fresh{}};

  Restored() {
    count(app, 1);
    office.keep_copy();
    count(app, 10);
    twin.put_back(app.copy_store());
    count(app, 100);
    count(app, 1000);
    office.restore_copy();
  }
  // One save: a count and an entry of a list. The first one makes the record.
  void count(App& by, std::int64_t added) {
    RecordEditor editor = record.is_none() ? must(by->create("inspection", office.scope)) : by.open_editor(record);
    must(editor.set("interviews", added));
    must(editor.set("follow_up", text(std::to_string(added))));
    must(editor.save());
    record = editor.id();
    if (&by == &app) app.sync();
  }
  void count_by_twin(int saves) {
    for (int i = 0; i < saves; ++i) count(twin, 10'000);
    twin.sync();
  }
  // Nothing is lost and nothing is there twice.
  void check_all(const Values& sum, std::size_t entries) {
    for (int i = 0; i < 2; ++i) {
      CHECK(verdict(app->sync({})) == "device_forked");
      CHECK(operations_at(office) == entries - must(app->status()).saved_here);
    }
    enrol_again(app);
    check_same(app, reader);
    check_same(twin, reader);
    for (App* each : {&app, &twin, &reader}) {
      CHECK(each->shown(record, "interviews") == sum);
      CHECK(each->shown(record, "follow_up").size() == entries);
    }
    CHECK(operations_at(office) == entries);
  }
  // The app counts once more and does not send it.
  void count_and_wait() {
    RecordEditor editor = app.open_editor(record);
    must(editor.set("interviews", std::int64_t{100'000}));
    must(editor.set("follow_up", text("100000")));
    must(editor.save());
  }
};

}  // namespace

TEST_CASE("A twin that pushed past what was acknowledged, at a restored office, hides no save") {
  Restored start;
  start.count_by_twin(3);
  SECTION("nothing waits") { start.check_all({std::int64_t{31'111}}, 7); }
  SECTION("something waits") {
    start.count_and_wait();
    start.check_all({std::int64_t{131'111}}, 8);
  }
}

TEST_CASE("A twin that pushed just as far as was acknowledged, at a restored office, hides no save") {
  Restored start;
  start.count_by_twin(2);
  start.count_and_wait();
  start.check_all({std::int64_t{121'111}}, 7);
}

TEST_CASE("A twin that pushed less than was acknowledged, at a restored office, hides no save") {
  Restored start;
  start.count_by_twin(1);
  start.check_all({std::int64_t{11'111}}, 5);
}

TEST_CASE("A comparison that was broken off goes on, and nothing enrols anew before it has come to its end") {
  Start start;
  for (int i = 0; i < 1200; ++i) start.app.write("summary", text("Cell " + std::to_string(i)));
  start.app.sync();
  const std::string copy = start.app.copy_store();
  start.app.write("summary", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  start.app.write("summary", text("Saved in the copy."));
  const int before = start.app.exchanges;
  start.app.on_the_way = [&] {
    if (start.app.exchanges == before + 3) start.app->cancel_sync();
  };
  CHECK(verdict(start.app->sync({})) == "cancelled");
  start.app.restart();
  const core::DeviceId device = start.app->identity().device;
  start.enrol_again(start.app);
  CHECK(start.app->identity().device == device);
  CHECK(verdict(start.app->sync({})) == "device_forked");
  CHECK(must(start.app->status()).saved_here == 1);
  start.enrol_again(start.app);
  start.check_same(start.app, start.reader);
  CHECK(operations_at(start.office) == 1202);
}

TEST_CASE("A false alarm about what was acknowledged ends in the comparison, without a trace") {
  Start start;
  const core::RecordId record = start.app.write("interviews", std::int64_t{1});
  start.app.sync();
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::board);
  start.app.edit(record, "summary", text("Refused."));
  start.app.sync();
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::monitor);
  start.app.edit(record, "interviews", std::int64_t{10});
  start.app.sync();
  start.app.edit(record, "follow_up", text("Waits."));
  start.app.faults = {answer({409, "application/x-protobuf",
                              GENERATE("\x0a\x0d"
                                       "device_forked",
                                       "\x0a\x12"
                                       "batch_chain_broken")})};
  start.app.sync();
  start.check_same(start.app, start.reader);
  CHECK(start.app.shown(record, "interviews") == Values{std::int64_t{11}});
  CHECK(must(start.app->refused()).size() == 1);
  CHECK(start.app.shown(record, "summary").empty());
  CHECK(must(start.app->read(record)).progress == Progress::refused);
  CHECK(operations_at(start.office) == 3);
  const core::DeviceId device = start.app->identity().device;
  start.enrol_again(start.app);
  CHECK(start.app->identity().device == device);
}

TEST_CASE("What was saved in a scope that the person left does not come back with a comparison") {
  Start start;
  start.office.set_role(start.office.monitor, start.office.other_scope, server::Role::monitor);
  start.app.sync();
  RecordEditor editor = must(start.app->create("inspection", start.office.other_scope));
  must(editor.set("summary", text("Elsewhere.")));
  must(editor.save());
  start.app.sync();
  start.office.set_role(start.office.monitor, start.office.other_scope, server::Role::none);
  start.app.sync();
  REQUIRE(must(start.app->query({})).empty());
  const std::string copy = start.app.copy_store();
  SECTION("a false alarm") {
    start.app.write("summary", text("Here."));
    start.app.faults = {answer({409, "application/x-protobuf",
                                "\x0a\x0d"
                                "device_forked"})};
    start.app.sync();
  }
  SECTION("another copy") {
    start.app.write("summary", text("Here."));
    start.app.sync();
    start.app.put_back(copy);
    CHECK(verdict(start.app->sync({})) == "device_forked");
    start.enrol_again(start.app);
    start.app.sync();
  }
  CHECK(must(start.app->query({})).size() == 1);
  CHECK_FALSE(start.app->read(editor.id()));
  start.check_same(start.app, start.reader);
}

TEST_CASE("Where two copies differ inside a batch, each sync says so, and what the office refused of it is told") {
  Start start;
  const core::RecordId record = start.app.write("follow_up", text("First."));
  start.app.sync();
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::board);
  start.app.edit(record, "follow_up", text("Refused."));
  start.app.faults = {lost_reply()};
  CHECK(verdict(start.app->sync({.retries = 0})) == "connection_lost");
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::monitor);
  start.app.edit(record, "follow_up", text("Second."));
  const std::string copy = start.app.copy_store();
  start.app.edit(record, "follow_up", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  start.app.edit(record, "follow_up", text("Saved in the copy."));
  for (int i = 0; i < 3; ++i) {
    CHECK(verdict(start.app->sync({})) == "device_forked");
    CHECK(must(start.app->status()).saved_here == 1);
    CHECK(must(start.app->refused()).size() == 1);
    start.app.restart();
  }
  start.enrol_again(start.app);
  start.check_same(start.app, start.reader);
  CHECK(must(start.app->refused()).size() == 1);
  CHECK(sorted(start.reader.shown(record, "follow_up")) ==
        Values{text("After the copy."), text("First."), text("Saved in the copy."), text("Second.")});
}

TEST_CASE("Where two copies differ inside a batch, and the office then has nothing of the device, all is sent again") {
  Start start;
  start.office.keep_copy();
  const core::RecordId record = start.app.write("follow_up", text("First."));
  start.app.sync();
  start.app.edit(record, "follow_up", text("Second."));
  const std::string copy = start.app.copy_store();
  start.app.edit(record, "follow_up", text("After the copy."));
  start.app.sync();
  start.app.put_back(copy);
  start.app.edit(record, "follow_up", text("Saved in the copy."));
  CHECK(verdict(start.app->sync({})) == "device_forked");
  start.office.restore_copy();
  start.app.sync();
  start.check_same(start.app, start.reader);
  CHECK(sorted(start.reader.shown(record, "follow_up")) ==
        Values{text("First."), text("Saved in the copy."), text("Second.")});
}

TEST_CASE("Where the office is restored once more, and has nothing of the twin's, the app goes on under its id") {
  Restored start;
  start.count_by_twin(3);
  CHECK(verdict(start.app->sync({})) == "device_forked");
  const core::DeviceId device = start.app->identity().device;
  start.office.restore_copy();
  start.app.sync();
  CHECK(start.app->identity().device == device);
  start.check_same(start.app, start.reader);
  CHECK(start.reader.shown(start.record, "interviews") == Values{std::int64_t{1'111}});
  CHECK(verdict(start.twin->sync({})) == "device_forked");
  start.enrol_again(start.twin);
  start.check_same(start.twin, start.reader);
  start.check_same(start.app, start.reader);
  CHECK(start.app.shown(start.record, "interviews") == Values{std::int64_t{31'111}});
  CHECK(operations_at(start.office) == 7);
}

TEST_CASE("What the office lost is shown once while it is on its way again under the new id") {
  Restored start;
  start.count_by_twin(3);
  CHECK(verdict(start.app->sync({})) == "device_forked");
  start.enrol_again(start.app);
  CHECK(start.app.shown(start.record, "interviews") == Values{std::int64_t{1'111}});
  CHECK(sorted(start.app.shown(start.record, "follow_up")) == Values{text("1"), text("10"), text("100"), text("1000")});
  CHECK(must(start.app->status()).saved_here == 2);
}

TEST_CASE("A twin that refilled a restored office in another way is noticed from the first save on which they differ") {
  Start start;
  start.app.write("summary", text("First."));
  start.app.sync();
  start.office.keep_copy();
  start.app.write("summary", text("Second."));
  start.app.sync();
  App twin(start.office, App::Fresh{});
  twin.put_back(start.app.copy_store());
  for (const char* each : {"Third.", "Fourth.", "Fifth."}) start.app.write("summary", text(each));
  start.app.sync();
  start.office.restore_copy();
  twin.write("summary", text("By the twin."));
  twin.sync();
  CHECK(verdict(start.app->sync({})) == "device_forked");
  CHECK(must(start.app->status()).saved_here == 3);
  start.enrol_again(start.app);
  start.check_same(start.app, start.reader);
  start.check_same(twin, start.reader);
  CHECK(operations_at(start.office) == 6);
  CHECK(must(start.reader->query({})).size() == 6);
}
