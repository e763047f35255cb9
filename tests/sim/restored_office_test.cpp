// Short tests of what the simulation found around offices that were restored from
// an older copy, and scopes that were taken away.
#include "sim/scripted_world.h"

using namespace fieldsync;
using namespace fieldsync::sim;

namespace {

// Hardly compressible, so that a few records fill a page.
std::string long_text(Run& run) {
  std::string text;
  for (int i = 0; i < 6000; ++i) text += static_cast<char>('0' + run.chance.below(75));
  return text;
}

std::int64_t waiting_operations(api::LocalStore& store) {
  auto select = store.connection->prepare("SELECT count(*) FROM operation");
  REQUIRE(select.step());
  return select.integer(0);
}

}  // namespace

// Seeds 3, 17 and 34.
TEST_CASE("A change that does not fit a device's copy has the scope read anew") {
  ScriptedWorld world(4);
  const std::size_t a = 0, b = 1, reader = 2, other = 3;
  const core::RecordId record = world.create(a, "first");
  for (const std::size_t device : {a, b, reader, other}) REQUIRE(world.sync(device));
  world.server.take_backup();
  world.write(a, record, "second");
  REQUIRE(world.sync(a));
  REQUIRE(world.sync(b));
  world.write(b, record, "third");
  REQUIRE(world.sync(b));
  world.server.restore_newest_backup();
  // The history grows past what anybody had read: nobody can tell that it is another.
  for (int i = 0; i < 4; ++i) world.create(other, "elsewhere");
  REQUIRE(world.sync(other));
  REQUIRE(world.sync(b));       // "third" comes before what it replaced
  REQUIRE(world.sync(reader));  // sees "first" and "third"
  REQUIRE(world.sync(a));       // "second" replaces "first" and is replaced already
  REQUIRE(world.sync(reader));
  world.check_all();
}

// Seeds 166, 226 and 246.
TEST_CASE("While a scope is read anew, what was there stays to be seen") {
  ScriptedWorld world(2);
  std::vector<core::RecordId> records;
  for (int i = 0; i < 30; ++i) records.push_back(world.create(0, long_text(world.run)));
  REQUIRE(world.sync(0));
  REQUIRE(world.sync(1));
  world.server.take_backup();
  records.push_back(world.create(0, "the last one"));
  REQUIRE(world.sync(0));
  world.server.restore_newest_backup();
  // After the first page nothing gets through any more.
  world.network.on_reply([&](const Link&, const v1::SyncReply&) { world.run.plan.set(FaultKind::request_lost, 1); });
  CHECK_FALSE(world.sync(0));
  for (const core::RecordId& record : records) CHECK(world.shows(0, record));
  world.run.plan.heal();
  world.network.on_reply([](const Link&, const v1::SyncReply&) {});
  world.check_all();
  for (const core::RecordId& record : records) CHECK(world.shows(1, record));
}

TEST_CASE("A copy that is started twice begins two different histories") {
  ScriptedWorld world(2);
  world.create(0, "first");
  REQUIRE(world.sync(0));
  world.server.take_backup();
  std::set<std::uint64_t> epochs = {world.epoch()};
  world.create(0, "second");
  REQUIRE(world.sync(0));
  REQUIRE(world.sync(1));
  world.server.restore_newest_backup();
  REQUIRE(world.sync(0));
  epochs.insert(world.epoch());
  world.server.restore_newest_backup();
  REQUIRE(world.sync(1));
  epochs.insert(world.epoch());
  CHECK(epochs.size() == 3);
  world.check_all();
}

// Seed 84.
TEST_CASE("A scope is let go although the reply to its last save was lost") {
  ScriptedWorld world(1);
  REQUIRE(world.sync(0));
  world.create(0, "first");
  world.run.plan.set(FaultKind::reply_lost, 1);
  CHECK_FALSE(world.sync(0));
  world.run.plan.heal();
  world.office.take_from_scope(0);
  REQUIRE(world.sync(0));
  api::LocalStore& store = world.device(0).store();
  CHECK(store.records.count(world.office.scopes().front().id) == 0);
  CHECK(store.directory.scopes().empty());
  CHECK(waiting_operations(store) == 0);
  world.check_all();
}

// Seed 250.
TEST_CASE("A scope without a position is let go when the directory does not name it") {
  ScriptedWorld world(1);
  const core::ScopeId scope = world.office.scopes().front().id;
  api::LocalStore& store = world.device(0).store();
  {
    storage::Transaction transaction(store.vault);
    store.directory.set_position(scope, {}, 0);
    transaction.commit();
  }
  world.office.take_from_scope(0);
  REQUIRE(world.sync(0));
  CHECK(store.directory.scopes().empty());
}

TEST_CASE("An operation that a restored office gets again keeps the time that it had") {
  ScriptedWorld world(2);
  world.server.take_backup();
  const core::RecordId record = world.create(0, "first");
  world.write(0, record, "second");
  REQUIRE(world.sync(0));
  REQUIRE(world.sync(1));
  const core::Instant time = world.device(1).database().read(record)->changed;
  // Its clock was wrong then, or is now: the claimed times mean something else.
  world.device(0).set_clock_ahead(-40 * day_ms);
  world.run.schedule.run_until(world.run.schedule.now() + day_ms);
  world.server.restore_newest_backup();
  REQUIRE(world.sync(0));
  REQUIRE(world.sync(1));
  CHECK(world.device(1).database().read(record)->changed == time);
  world.check_all();
}
