// The writer's thread takes all that waits into one transaction. Where its commit fails,
// nobody hears that anything was stored, and whoever tries again succeeds.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sim/disk/simulated_vfs.h"
#include "store/sqlite/sqlite_store.h"
#include "support/temporary_folder.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

constexpr std::size_t writing_callers = 8;
// These two are of one transaction with the others, and bring nothing.
constexpr std::size_t refused_caller = writing_callers;
constexpr std::size_t throwing_caller = writing_callers + 1;
constexpr std::size_t callers = writing_callers + 2;
// Almost always the first is one.
constexpr int attempts_max = 100;

// A store with its own thread, on a simulated disk; its lock file is in a real folder.
class GroupCommit {
 public:
  GroupCommit() { open(); }

  struct Round {
    std::vector<std::string> told;  // each caller: stored, or why not
    bool together = false;          // one transaction took all of them
  };
  // All callers at once. `before_commit` runs inside the first transaction.
  Round write_together(const std::function<void(sim::Machine&)>& before_commit);

  // The people who are in the store, by caller.
  [[nodiscard]] std::set<std::size_t> stored() const {
    std::set<std::size_t> found;
    REQUIRE(store_->read([&](server::ReadTransaction& transaction) -> Result<void> {
      for (const server::PersonRow& row : transaction.people()) found.insert(row.id.bytes[0] - 1u);
      return {};
    }));
    return found;
  }

  void mend_disk() { machine_.clear_faults(); }
  void cut_power() {
    machine_.cut_power();
    store_.reset();
    machine_.start();
    open();
  }

 private:
  void open() {
    auto opened = server::SqliteStore::open(machine_.folder() + "/server.db");
    REQUIRE(opened);
    store_ = std::move(*opened);
  }

  // Adds a person of this caller's.
  Result<void> write_as(std::size_t caller, server::WriteTransaction& transaction) {
    core::PersonId id;
    id.bytes.fill(static_cast<std::uint8_t>(caller + 1));
    transaction.add_person({id, std::string(20'000, 'a')});
    if (caller == refused_caller) return Error{Errc::not_permitted, {}};
    if (caller == throwing_caller) throw std::runtime_error("thrown");
    return {};
  }

  TemporaryFolder folder_;
  std::mt19937_64 generator_{11};
  sim::SimulatedVfs vfs_{[this] { return generator_(); }, [] { return std::int64_t{1'795'500'000'000}; }};
  sim::Machine& machine_ = vfs_.add_machine(folder_.path().string());
  std::unique_ptr<server::SqliteStore> store_;
};

GroupCommit::Round GroupCommit::write_together(const std::function<void(sim::Machine&)>& before_commit) {
  Round round;
  round.told.resize(callers);
  std::vector<std::uint64_t> syncs_before(callers);
  std::atomic<bool> holds = false;
  std::atomic<std::size_t> asking = 0;
  bool is_first = true;  // the writer's thread alone uses it
  // Keeps the writer busy until the others wait for it.
  std::thread holder([&] {
    static_cast<void>(store_->write([&](server::WriteTransaction&) -> Result<void> {
      holds = true;
      holds.notify_all();
      for (std::size_t now = asking; now < callers; now = asking) asking.wait(now);
      return {};
    }));
  });
  holds.wait(false);
  std::vector<std::thread> threads;
  for (std::size_t caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] {
      const auto body = [&](server::WriteTransaction& transaction) -> Result<void> {
        if (is_first) before_commit(machine_);
        is_first = false;
        syncs_before[caller] = machine_.count(sim::Among::syncs);
        return write_as(caller, transaction);
      };
      ++asking;
      asking.notify_all();
      try {
        const auto written = store_->write(body);
        round.told[caller] = written ? "stored" : std::string(describe(written.error().code).name);
      } catch (const std::runtime_error& error) {
        round.told[caller] = error.what();
      }
    });
  }
  holder.join();
  for (std::thread& thread : threads) thread.join();
  const std::set<std::uint64_t> transactions(syncs_before.begin(), syncs_before.end());
  round.together = transactions.size() == 1;
  return round;
}

// What each caller is told where the others are told this.
std::vector<std::string> all_told(const std::string& what) {
  std::vector<std::string> told(callers, what);
  told[refused_caller] = "not_permitted";
  told[throwing_caller] = "thrown";
  return told;
}

const std::set<std::size_t> all_writing{0, 1, 2, 3, 4, 5, 6, 7};

// Nobody hears "stored" while the disk fails so; with a sound disk all do, once each.
void fails_for_everybody(const std::function<void(sim::Machine&)>& fault, Errc code) {
  const std::string failed(describe(code).name);
  bool together = false;
  for (int attempt = 0; attempt < attempts_max && !together; ++attempt) {
    GroupCommit store;
    const auto round = store.write_together(fault);
    together = round.together;
    CHECK(round.told == all_told(failed));
    store.mend_disk();
    CHECK(store.stored().empty());
    CHECK(store.write_together([](sim::Machine&) {}).told == all_told("stored"));
    CHECK(store.stored() == all_writing);
    store.cut_power();
    CHECK(store.stored() == all_writing);
  }
  CHECK(together);
}

}  // namespace

TEST_CASE("Where the disk fails to sync, nobody of those who wait for one commit hears that it is stored") {
  fails_for_everybody(
      [](sim::Machine& machine) {
        machine.inject({sim::Fault::Effect::io_error_for_ever, sim::Among::syncs, 1});
      },
      Errc::storage_failed);
}

TEST_CASE("Where the disk fails to write, nobody of those who wait for one commit hears that it is stored") {
  // In the middle of what the commit writes.
  fails_for_everybody(
      [](sim::Machine& machine) {
        machine.inject({sim::Fault::Effect::io_error_for_ever, sim::Among::writes, 20});
      },
      Errc::storage_failed);
}

TEST_CASE("Where the disk is full, nobody of those who wait for one commit hears that it is stored") {
  fails_for_everybody([](sim::Machine& machine) { machine.set_capacity(machine.files().bytes_used() + 30'000); },
                      Errc::storage_full);
}
