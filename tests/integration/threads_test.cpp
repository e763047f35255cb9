// Many at once: threads of one app on one Database, and several devices on one
// server. What the thread sanitizer has to see.
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fieldsync/database.h"
#include "support/test_server.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

constexpr int writers = 3;
constexpr int saves_of_each = 20;

template <typename T>
T must(Result<T> result) {
  INFO((result ? std::string() : result.error().message()));
  REQUIRE(result);
  return std::move(*result);
}

// A device of Bakyt's by this name, synced once and still open.
std::unique_ptr<Database> enrolled(const TestServer& server, const std::string& name) {
  auto database = server.open(name);
  must(database->enrol(server.enrolment_text(), name));
  must(database->sync({}));
  return database;
}

bool saved_a_visit(Database& database, const core::ScopeId& scope) {
  auto editor = database.create("visit", scope);
  return editor && editor->set("summary", std::string("Cell 4 has no window.")) && editor->save();
}

bool read_everything(Database& database) {
  const bool known = database.identity().enrolled;
  return known && database.query({}) && database.conflicts() && database.status() && database.scopes() &&
         database.forms();
}

// Cancelled, or another one is running: both may happen here.
bool synced_or_told_why(Database& database) {
  const auto report = database.sync({});
  return report || report.error().code == Errc::cancelled || report.error().code == Errc::in_use;
}

}  // namespace

TEST_CASE("Threads of one app save, read, sync and cancel at once, and every save arrives") {
  TestServer server;
  const auto database = enrolled(server, "tablet");
  const core::ScopeId scope = must(database->scopes()).front().id;
  std::atomic<int> failures = 0;
  std::atomic<bool> writing = true;
  // Catch2's checks are for one thread.
  const auto expect = [&](bool done) { failures += done ? 0 : 1; };

  std::vector<std::thread> writing_threads, other_threads;
  for (int writer = 0; writer < writers; ++writer) {
    writing_threads.emplace_back([&] {
      for (int i = 0; i < saves_of_each; ++i) expect(saved_a_visit(*database, scope));
    });
  }
  const auto meanwhile = [&](auto body) {
    other_threads.emplace_back([&, body] {
      do body();
      while (writing);
    });
  };
  meanwhile([&] { expect(read_everything(*database)); });
  meanwhile([&] { expect(synced_or_told_why(*database)); });
  meanwhile([&] { expect(synced_or_told_why(*database)); });
  meanwhile([&] { database->cancel_sync(); });
  for (std::thread& thread : writing_threads) thread.join();
  writing = false;
  for (std::thread& thread : other_threads) thread.join();

  CHECK(failures == 0);
  must(database->sync({}));
  CHECK(must(database->status()).saved_here == 0);
  server.enrol("phone");
  CHECK(json_value(server.app("phone", {"--json", "status"}).output, "records") ==
        std::to_string(writers * saves_of_each));
}

TEST_CASE("What was cancelled between two requests makes no other one") {
  TestServer server;
  const auto database = enrolled(server, "phone");
  const core::ScopeId scope = must(database->scopes()).front().id;
  for (int i = 0; i < 600; ++i) REQUIRE(saved_a_visit(*database, scope));
  int answers = 0;
  const auto cancel_at_once = [&](const SyncProgress&) {
    ++answers;
    database->cancel_sync();
  };
  const auto cancelled = database->sync({.on_progress = cancel_at_once});
  REQUIRE_FALSE(cancelled);
  CHECK(cancelled.error().code == Errc::cancelled);
  CHECK(answers == 1);
  must(database->sync({}));
}

TEST_CASE("A store that is locked while it syncs is locked at once, and the sync ends") {
  TestServer server;
  const auto database = enrolled(server, "phone");
  const core::ScopeId scope = must(database->scopes()).front().id;
  for (int i = 0; i < 600; ++i) REQUIRE(saved_a_visit(*database, scope));
  std::thread locking;
  LockState seen = LockState::unlocked;
  const auto lock_at_once = [&](const SyncProgress&) {
    if (locking.joinable()) return;
    locking = std::thread([&] { database->lock(); });
    // It waits for this sync; the keys are gone before.
    while (seen == LockState::unlocked) seen = database->lock_state();
  };
  const auto ended = database->sync({.on_progress = lock_at_once});
  locking.join();
  REQUIRE_FALSE(ended);
  CHECK((ended.error().code == Errc::cancelled || ended.error().code == Errc::locked));
  CHECK(seen == LockState::locked);
  CHECK(database->lock_state() == LockState::locked);
}

TEST_CASE("A server that is told to stop while devices sync ends in order, and goes on from there") {
  TestServer server;
  const std::vector<std::string> stores{"Bakyt", "Chynara", "Daniyar"};
  for (const std::string& store : stores) {
    server.enrol(store);
    for (int i = 0; i < 5; ++i) REQUIRE(server.app(store, {"new", "visit", "summary=Cell 4."}).exit_code == 0);
  }
  std::vector<std::unique_ptr<Process>> syncs;
  for (const std::string& store : stores) {
    syncs.push_back(std::make_unique<Process>(server.app_command(store, {"sync"}), server.path(store + ".log")));
  }
  CHECK(server.stop() == 0);
  server.start();
  for (const auto& sync : syncs) sync->wait();
  for (const std::string& store : stores) {
    const Finished synced = server.app(store, {"sync"});
    INFO(synced.output);
    CHECK(synced.exit_code == 0);
  }
  server.enrol("fresh");
  CHECK(json_value(server.app("fresh", {"--json", "status"}).output, "records") == "15");
  CHECK(server.stop() == 0);
}
