// A sync over a link that does what the test says.
#include <atomic>
#include <future>
#include <thread>

#include "app_office.h"
#include "fieldsync/v1/problem.pb.h"
#include "fieldsync/v1/sync.pb.h"
#include "support/unlocked_store.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

std::string problem(Errc code) {
  v1::Problem problem;
  problem.set_code(std::string(describe(code).name));
  problem.set_detail("Exactly this sentence.");
  return problem.SerializeAsString();
}

std::uint64_t operations_at(TestOffice& office) {
  TestDevice nobody;
  return office.standing(nobody).operations;
}

// A reply that says that more waits, and tells nothing of any scope.
void empties(v1::SyncReply& reply) {
  reply.clear_scopes();
  reply.set_more(true);
}

}  // namespace

TEST_CASE("A sync reports what it did, and its progress never goes back") {
  AppOffice office;
  App one(office), two(office);
  for (int i = 0; i < 600; ++i) one.write("summary", text("Cell " + std::to_string(i)));
  std::vector<SyncProgress> seen;
  const SyncReport sent =
      must(one->sync({.on_progress = [&](const SyncProgress& progress) { seen.push_back(progress); }}));
  CHECK(sent.operations_acknowledged == 600);
  CHECK(sent.operations_refused == 0);
  CHECK(sent.records_received == 0);
  CHECK(sent.requests == seen.size());
  CHECK(sent.body_bytes_up > 0);
  REQUIRE(seen.size() > 1);
  for (std::size_t i = 1; i < seen.size(); ++i) {
    CHECK(seen[i].operations_acknowledged > seen[i - 1].operations_acknowledged);
    CHECK(seen[i].operations_waiting < seen[i - 1].operations_waiting);
  }
  CHECK(seen.back().operations_waiting == 0);
  const SyncReport received = must(two->sync({}));
  CHECK(received.records_received == 600);
  CHECK(must(two->scopes())[0].digest == must(one->scopes())[0].digest);
  CHECK(must(two->scopes())[0].records == 600);
}

TEST_CASE("A broken link is tried again, and what was sent twice counts once") {
  AppOffice office;
  App app(office);
  app.write("summary", text("Cell 4."));
  app.write("summary", text("Cell 5."));
  app.exchanges = 0;
  app.faults = {lost_request(), lost_reply(), lost_request(Errc::offline), lost_reply()};
  const SyncReport report = must(app->sync({}));
  CHECK(report.operations_acknowledged == 2);
  CHECK(app.exchanges == 5);
  CHECK(operations_at(office) == 2);
  CHECK(must(app->status()).saved_here == 0);
}

TEST_CASE("A link that stays broken ends the sync after the retries, and nothing is lost") {
  AppOffice office;
  App app(office);
  const auto last_sync = must(app->status()).last_sync;
  office.now = office.now + core::Milliseconds{1'000};
  app.write("summary", text("Cell 4."));
  app.exchanges = 0;
  for (int i = 0; i < 10; ++i) app.faults.push_back(lost_request(Errc::offline));
  CHECK(verdict(app->sync({.retries = 2})) == "offline");
  CHECK(app.exchanges == 3);
  CHECK(must(app->status()).saved_here == 1);
  CHECK(must(app->status()).last_sync == last_sync);
  app.faults.clear();
  app.sync();
  CHECK(must(app->status()).last_sync == office.now);
}

TEST_CASE("Every refusal of a server reaches the app with its code and sentence, and changes nothing here") {
  AppOffice office;
  App app(office);
  const core::RecordId record = app.write("summary", text("Cell 4."));
  for (const ErrcEntry& entry : all_errors()) {
    if (entry.http_status == 0) continue;
    INFO(entry.name);
    // A refused cursor is dropped first, and a revoked device asks to hand in.
    const bool asks_again = entry.code == Errc::bad_cursor || entry.code == Errc::device_revoked;
    app.faults.assign(asks_again ? 2 : 1, answer({entry.http_status, "application/x-protobuf", problem(entry.code)}));
    const auto synced = app->sync({.retries = 0});
    REQUIRE_FALSE(synced);
    CHECK(describe(synced.error().code).name == entry.name);
    CHECK(synced.error().message().ends_with("Exactly this sentence."));
    CHECK(must(app->status()).saved_here == 1);
    CHECK(app.shown(record, "summary") == Values{text("Cell 4.")});
  }
  app.sync();
  CHECK(operations_at(office) == 1);
}

TEST_CASE("An answer that is not the server's protocol is told as such") {
  AppOffice office;
  App app(office);
  app.write("summary", text("Cell 4."));
  v1::SyncReply newer;
  newer.set_minimum_protocol_version(2);
  v1::SyncReply deaf;
  const std::vector<std::pair<engine::HttpReply, const char*>> answers{
      {{200, "application/x-protobuf", "\xff\xff"}, "incompatible_server"},
      {{302, "text/html", "<html>Sign in to the hotel's network</html>"}, "incompatible_server"},
      {{418, "application/x-protobuf", problem(Errc::offline).substr(0, 3)}, "incompatible_server"},
      {{503, "text/html", "busy"}, "overloaded"},
      {{500, "", ""}, "internal_error"},
      {{502, "text/html", "<html>Bad gateway</html>"}, "internal_error"},
      {{200, "application/x-protobuf", newer.SerializeAsString()}, "unsupported_protocol_version"},
      {{200, "application/x-protobuf", deaf.SerializeAsString()}, "incompatible_server"},
  };
  for (const auto& [reply, expected] : answers) {
    app.faults = {answer(reply)};
    CHECK(verdict(app->sync({.retries = 0})) == expected);
    CHECK(must(app->status()).saved_here == 1);
  }
  app.sync();
  CHECK(operations_at(office) == 1);
}

TEST_CASE("An edit that is saved while a batch travels goes with the next one") {
  AppOffice office;
  App app(office);
  const core::RecordId record = app.write("summary", text("Cell 4."));
  bool edited = false;
  app.on_the_way = [&] {
    if (edited) return;
    edited = true;
    app.edit(record, "summary", text("Cell 5."));
    CHECK(app.shown(record, "summary") == Values{text("Cell 5.")});
  };
  const SyncReport report = must(app->sync({}));
  CHECK(report.operations_acknowledged == 2);
  CHECK(app.shown(record, "summary") == Values{text("Cell 5.")});
  App other(office);
  CHECK(other.shown(record, "summary") == Values{text("Cell 5.")});
  CHECK(must(other->scopes())[0].digest == must(app->scopes())[0].digest);
}

TEST_CASE("A second sync beside a running one is refused, and cancelling ends the first") {
  AppOffice office;
  App app(office);
  app.write("summary", text("Cell 4."));
  std::promise<void> under_way, released;
  app.on_the_way = [&] {
    under_way.set_value();
    released.get_future().wait();
  };
  std::optional<Result<SyncReport>> first;
  std::thread running([&] { first = app->sync({}); });
  under_way.get_future().wait();
  CHECK(verdict(app->sync({})) == "in_use");
  app->cancel_sync();
  released.set_value();
  running.join();
  REQUIRE(first);
  CHECK(verdict(*first) == "cancelled");
  CHECK(must(app->status()).saved_here == 1);
  app.on_the_way = [] {};
  app.sync();
  CHECK(operations_at(office) == 1);
}

TEST_CASE("A stop that is requested before or during a sync ends that sync, and makes no request of its own") {
  AppOffice office;
  App app(office);
  app.write("summary", text("Cell 4."));
  app.exchanges = 0;
  std::stop_source stop;
  SyncOptions options;
  options.stop = stop.get_token();
  app.on_the_way = [&] { stop.request_stop(); };
  CHECK(verdict(app->sync(options)) == "cancelled");
  CHECK(app.exchanges == 1);
  CHECK(verdict(app->sync(options)) == "cancelled");
  CHECK(app.exchanges == 1);
  app.sync();
  CHECK(operations_at(office) == 1);
}

TEST_CASE("Locking ends a sync that runs, and one that is about to") {
  AppOffice office;
  App app(office);
  std::thread locks;
  const auto lock_beside = [&] {
    locks = std::thread([&] { app->lock(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  };
  app.on_the_way = lock_beside;
  CHECK(verdict(app->sync({})) == "cancelled");
  locks.join();
  CHECK(verdict(app->sync({})) == "locked");
  must(app->unlock(app_credentials()));
  app.on_the_way = [] {};
  app.on_connecting = lock_beside;
  app.exchanges = 0;
  const auto ended = verdict(app->sync({}));
  CHECK((ended == "cancelled" || ended == "locked"));
  CHECK(app.exchanges == 0);
  locks.join();
}

TEST_CASE("What a sync did is reported also where it fails") {
  AppOffice office;
  App app(office);
  app.write("summary", text("Cell 4."));
  std::vector<SyncReport> reports;
  SyncOptions options;
  options.retries = 0;
  options.on_report = [&](const SyncReport& report) { reports.push_back(report); };
  app.changes.push_back([&](v1::SyncReply& reply) {
    reply.set_more(true);
    app.faults = {lost_request()};
  });
  CHECK(verdict(app->sync(options)) == "connection_lost");
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].requests == 2);
  CHECK(reports[0].operations_acknowledged == 1);
  CHECK(must(app->sync(options)).requests == 1);
  REQUIRE(reports.size() == 2);
  CHECK(reports[1].requests == 1);
}

TEST_CASE("Only a sync that counts as use keeps the store from locking itself") {
  AppOffice office;
  App app(office);
  app.lock_after = std::chrono::seconds(1);
  app.restart();
  const auto syncs_until_locked = [&](bool counts_as_use, std::chrono::milliseconds at_most) {
    SyncOptions options;
    options.counts_as_use = counts_as_use;
    const auto end = std::chrono::steady_clock::now() + at_most;
    while (std::chrono::steady_clock::now() < end && app->lock_state() == LockState::unlocked) {
      const auto synced = app->sync(options);
      if (!synced && synced.error().code != Errc::cancelled && synced.error().code != Errc::locked) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return app->lock_state() == LockState::locked;
  };
  CHECK_FALSE(syncs_until_locked(true, std::chrono::milliseconds(2'500)));
  CHECK(syncs_until_locked(false, std::chrono::seconds(20)));
}

TEST_CASE("Cancelling where nothing runs does nothing") {
  AppOffice office;
  App app(office);
  app->cancel_sync();
  app.sync();
}

TEST_CASE("Apps refill an office that was restored from an older copy, within the syncs that notice it") {
  AppOffice office;
  App one(office), two(office);
  const core::RecordId record = one.write("summary", text("Cell 4."));
  one.sync();
  two.sync();
  office.keep_copy();
  one.edit(record, "summary", text("Window."));
  two.edit(record, "summary", text("Heating."));
  const core::RecordId later = one.write("summary", text("Cell 5."));
  one.sync();
  two.sync();
  one.sync();
  office.restore_copy();
  one.sync();
  two.sync();
  one.sync();
  App fresh(office);
  for (App* app : {&one, &two, &fresh}) {
    CHECK(app->in_conflict(record, "summary"));
    CHECK(app->shown(record, "summary").size() == 2);
    CHECK(app->shown(later, "summary") == Values{text("Cell 5.")});
    CHECK(must((*app)->status()).saved_here == 0);
    CHECK(must((*app)->scopes())[0].digest == must(fresh->scopes())[0].digest);
  }
  CHECK(operations_at(office) == 4);
}

TEST_CASE("A sync ends with all records also where it had to read a scope anew") {
  AppOffice office;
  App one(office), reader(office);
  office.keep_copy();
  for (int i = 0; i < 4; ++i) one.write("summary", text("Before."));
  one.sync();
  reader.sync();
  office.restore_copy();
  App newcomer(office);
  const core::RecordId record = newcomer.write("summary", text("After 0."));
  for (int i = 1; i < 6; ++i) newcomer.edit(record, "summary", text("After " + std::to_string(i) + "."));
  newcomer.sync();
  reader.sync();
  CHECK(reader.shown(record, "summary") == Values{text("After 5.")});
}

TEST_CASE("A save that is missing from a damaged store ends the sync with an error: it does not go round for ever") {
  AppOffice office;
  App one(office);
  one.write("summary", text("Cell 4."));
  one.damage("DELETE FROM operation");
  CHECK(verdict(one->sync({})) == "storage_corrupt");
}

TEST_CASE("A server that says that more waits and sends nothing ends the sync with an error") {
  AppOffice office;
  App app(office);
  const core::RecordId record = app.write("summary", text("Cell 4."));
  app.sync();
  const auto restarts_nothing = [&](v1::SyncReply& reply) {
    empties(reply);
    reply.add_scopes()->set_scope(std::string(office.scope.view()));
    reply.mutable_scopes(0)->set_restart(true);
  };
  for (const auto& empty : std::vector<std::function<void(v1::SyncReply&)>>{empties, restarts_nothing}) {
    // Where a scope begins anew, the first reply has moved the app's position.
    app.changes = {20, empty};
    app.exchanges = 0;
    CHECK(verdict(app->sync({})) == "incompatible_server");
    CHECK(app.exchanges <= 2);
    CHECK(app.shown(record, "summary") == Values{text("Cell 4.")});
    app.changes.clear();
    app.sync();
    CHECK(app.shown(record, "summary") == Values{text("Cell 4.")});
  }
}

TEST_CASE("A reply that only moves a cursor, begins a scope anew, or acknowledges, may say that more waits") {
  AppOffice office;
  App app(office), other(office);
  const core::RecordId record = other.write("summary", text("Cell 4."));
  other.sync();
  const core::RecordId own = app.write("summary", text("Cell 5."));
  std::string position;
  const auto acknowledges = empties;
  const auto begins_anew = [&](v1::SyncReply& reply) {
    REQUIRE(reply.scopes_size() == 1);
    position = reply.scopes(0).cursor();
    reply.mutable_scopes(0)->clear_changes();
    reply.mutable_scopes(0)->clear_cursor();
    reply.mutable_scopes(0)->set_restart(true);
    reply.set_more(true);
  };
  const auto moves_the_cursor = [&](v1::SyncReply& reply) {
    reply.mutable_scopes(0)->clear_changes();
    reply.mutable_scopes(0)->set_cursor(position);
    reply.set_more(true);
  };
  app.changes = {acknowledges, begins_anew, moves_the_cursor};
  app.exchanges = 0;
  const SyncReport report = must(app->sync({}));
  CHECK(app.exchanges == 4);
  CHECK(report.operations_acknowledged == 1);
  // The last reply is the server's own: the digest differs, and the scope comes whole.
  CHECK(app.shown(record, "summary") == Values{text("Cell 4.")});
  CHECK(app.shown(own, "summary") == Values{text("Cell 5.")});
}

TEST_CASE("A reply of a restored office that only takes an acknowledgement back may say that more waits") {
  AppOffice office;
  App app(office);
  office.keep_copy();
  app.write("summary", text("Cell 4."));
  app.sync();
  office.restore_copy();
  app.changes = {empties};
  app.sync();
  CHECK(must(app->status()).saved_here == 0);
  CHECK(operations_at(office) == 1);
}

TEST_CASE("Records do not wait until all is sent where a refusal is to be told") {
  AppOffice office;
  App app(office);
  App other(office, office.add_person(server::Role::monitor, office.scope));
  app.write("summary", text("Cell 4."));
  office.set_role(office.monitor, office.scope, server::Role::none);
  app.sync();
  office.set_role(office.monitor, office.scope, server::Role::monitor);
  app.sync();
  app.damage("DELETE FROM refused");
  const core::RecordId record = other.write("summary", text("Cell 5."));
  other.sync();
  app.write("summary", text("Cell 6."));
  // More is written while each of the first requests is under way.
  int written = 0;
  app.on_the_way = [&] {
    if (written++ < 3) app.write("summary", text("Cell 7."));
  };
  std::vector<bool> brings_records;
  for (int i = 0; i < 3; ++i)
    app.changes.push_back([&](v1::SyncReply& reply) { brings_records.push_back(!reply.scopes().empty()); });
  app.sync();
  CHECK(brings_records == std::vector<bool>{false, true, true});
  CHECK(must(app->status()).refused == 1);
  CHECK(app.shown(record, "summary") == Values{text("Cell 5.")});
}

namespace {

Fault refusal(Errc code) { return answer({describe(code).http_status, "application/x-protobuf", problem(code)}); }

}  // namespace

TEST_CASE("Where the server knows its cursors no more, all is read anew") {
  AppOffice office;
  App app(office);
  const core::RecordId record = app.write("summary", text("Cell 4."));
  app.sync();
  app.write("summary", text("Cell 5."));
  app.faults = {refusal(Errc::bad_cursor)};
  bool told_all = false;
  app.changes.push_back([&](v1::SyncReply& reply) { told_all = reply.scopes(0).changes_size() == 2; });
  app.sync();
  CHECK(told_all);
  CHECK(app.shown(record, "summary") == Values{text("Cell 4.")});
  CHECK(must(app->status()).records == 2);
  // It says so without having been given one.
  app.faults = {refusal(Errc::bad_cursor), refusal(Errc::bad_cursor)};
  CHECK(verdict(app->sync({})) == "bad_cursor");
  app.sync();
  CHECK(must(app->status()).records == 2);
}

TEST_CASE("Where the server refuses every cursor, also its newest, a sync ends") {
  AppOffice office;
  App app(office);
  const core::RecordId record = app.write("summary", text("Cell 4."));
  app.sync();
  app.faults = {refusal(Errc::bad_cursor)};
  // The first answer gives a cursor and more to come; the next request is refused for that cursor.
  app.changes.push_back([&](v1::SyncReply& reply) {
    reply.set_more(true);
    app.faults = {refusal(Errc::bad_cursor)};
  });
  CHECK(verdict(app->sync({})) == "bad_cursor");
  CHECK(app.shown(record, "summary") == Values{text("Cell 4.")});
  app.sync();
}

TEST_CASE("What the server says of its own database is not said of this one") {
  AppOffice office;
  App app(office);
  app.faults = {refusal(Errc::storage_corrupt)};
  const auto synced = app->sync({});
  REQUIRE_FALSE(synced);
  CHECK(synced.error().code == Errc::storage_corrupt);
  CHECK(synced.error().message().starts_with("The server says of itself: "));
}
