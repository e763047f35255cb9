// The model against SQLite itself: what SQLite promises holds on the simulated
// disk, and what it does not promise is indeed lost there. A disk that is too kind
// would fail the second half.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "sim/disk/machine.h"
#include "sim/disk/simulated_vfs.h"
#include "sqlite/connection.h"

namespace fieldsync::sim {
namespace {

using sqlite::Connection;
using sqlite::OpenMode;
using sqlite::SqliteError;

struct Damage {
  int lost = 0;     // power cuts after which a committed row was missing
  int corrupt = 0;  // power cuts after which the database was damaged
  int cuts = 0;
};

// What becomes of the program after a commit that failed.
enum class AfterFailure : std::uint8_t { goes_on, is_killed, is_killed_and_rewrites_log };

class Writer {
 public:
  Writer(std::string pragmas, AfterFailure after_failure)
      : pragmas_(std::move(pragmas)), after_failure_(after_failure) {}

  // Commits rows, each with its number, and checkpoints, until the power goes.
  // Goes on after any other failure.
  void write_until_power_cut(Machine& machine, std::mt19937_64& generator) {
    while (machine.is_running()) {
      try {
        Connection connection(path, OpenMode::read_write);
        connection.execute(pragmas_.c_str());
        if (after_failure_ == AfterFailure::is_killed_and_rewrites_log) connection.rewrite_log();
        connection.execute("CREATE TABLE IF NOT EXISTS t(x INTEGER PRIMARY KEY, filling BLOB)");
        while (machine.is_running()) {
          if (insert_row(connection, generator) || after_failure_ == AfterFailure::goes_on) continue;
          machine.kill_programs();
          break;
        }
      } catch (const SqliteError&) {
        // It could not be opened, or the power is gone.
      }
    }
  }

  // False where the database cannot be read. Goes on from what is there.
  bool looks_sound(Damage& damage) {
    try {
      Connection connection(path, OpenMode::read_write);
      connection.execute(pragmas_.c_str());
      if (!connection.integrity_problem().empty()) return false;
      connection.execute("CREATE TABLE IF NOT EXISTS t(x INTEGER PRIMARY KEY, filling BLOB)");
      auto select = connection.prepare("SELECT count(*) FROM t");
      if (!select.step()) return false;
      const std::int64_t rows = select.integer(0);
      if (rows < committed_) ++damage.lost;
      committed_ = rows;
      return true;
    } catch (const SqliteError&) {
      return false;
    }
  }

  void begin_anew() { committed_ = 0; }

 private:
  // False where it was not committed, as far as the program knows.
  bool insert_row(Connection& connection, std::mt19937_64& generator) {
    try {
      auto insert = connection.prepare("INSERT OR REPLACE INTO t VALUES(?1, randomblob(?2))");
      insert.bind(1, committed_ + 1).bind(2, static_cast<std::int64_t>(generator() % 3'000)).run();
      ++committed_;
      return true;
    } catch (const SqliteError&) {
      return false;
    }
  }

  static constexpr const char* path = "/sim/one/a.db";
  std::string pragmas_;
  AfterFailure after_failure_;
  std::int64_t committed_ = 0;
};

enum class Syncs : std::uint8_t { work, fail_at_times };

Damage cut_power_often(const std::string& pragmas, int cuts, Syncs syncs = Syncs::work,
                       AfterFailure after_failure = AfterFailure::goes_on) {
  std::mt19937_64 generator(5);
  SimulatedVfs vfs([&] { return generator(); }, [] { return std::int64_t{0}; });
  Machine& machine = vfs.add_machine("/sim/one");
  Writer writer("PRAGMA wal_autocheckpoint=20; " + pragmas, after_failure);
  Damage damage;
  for (; damage.cuts < cuts; ++damage.cuts) {
    machine.inject({Fault::Effect::power_cut, Among::changes, 1 + generator() % 100});
    if (syncs == Syncs::fail_at_times) {
      for (int i = 0; i < 3; ++i) machine.inject({Fault::Effect::io_error_once, Among::syncs, 1 + generator() % 20});
    }
    writer.write_until_power_cut(machine, generator);
    machine.clear_faults();
    machine.start();
    if (writer.looks_sound(damage) && damage.cuts % 50 != 0) continue;
    if (damage.cuts % 50 != 0) ++damage.corrupt;
    machine.restore({});
    writer.begin_anew();
  }
  return damage;
}

TEST_CASE("with synchronous=FULL no committed row is lost and nothing is damaged", "[sim][disk]") {
  const std::string mode = GENERATE("WAL", "TRUNCATE");
  const Damage damage = cut_power_often("PRAGMA journal_mode=" + mode + "; PRAGMA synchronous=FULL", 2'000);
  INFO(mode);
  CHECK(damage.lost == 0);
  CHECK(damage.corrupt == 0);
}

TEST_CASE("a failed sync that let go of its data loses no committed row either", "[sim][disk]") {
  const Damage damage =
      cut_power_often("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", 2'000, Syncs::fail_at_times);
  CHECK(damage.lost == 0);
  CHECK(damage.corrupt == 0);
}

TEST_CASE("a program that is killed after a failed sync loses later rows, unless the next rewrites the log",
          "[sim][disk]") {
  const std::string pragmas = "PRAGMA synchronous=EXTRA; PRAGMA journal_mode=WAL";
  const Damage plain = cut_power_often(pragmas, 2'000, Syncs::fail_at_times, AfterFailure::is_killed);
  CHECK(plain.lost > 10);
  const Damage rewritten =
      cut_power_often(pragmas, 2'000, Syncs::fail_at_times, AfterFailure::is_killed_and_rewrites_log);
  CHECK(rewritten.lost == 0);
  CHECK(rewritten.corrupt == 0);
}

TEST_CASE("a database without a log is refused", "[sim][disk]") {
  SimulatedVfs vfs([] { return std::uint64_t{7}; }, [] { return std::int64_t{0}; });
  vfs.add_machine("/sim/one");
  Connection connection("/sim/one/a.db", OpenMode::read_write);
  connection.execute("CREATE TABLE t(x)");
  try {
    connection.rewrite_log();
    FAIL("there is no log to rewrite");
  } catch (const SqliteError& error) {
    CHECK(error.code() == Errc::storage_failed);
  }
}

TEST_CASE("where a journal's removal is the commit, only synchronous=EXTRA syncs its folder", "[sim][disk]") {
  const Damage full = cut_power_often("PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL", 500);
  CHECK(full.lost > 10);
  CHECK(full.corrupt == 0);
  const Damage extra = cut_power_often("PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA", 1'000);
  CHECK(extra.lost == 0);
  CHECK(extra.corrupt == 0);
}

TEST_CASE("with synchronous=NORMAL in WAL mode committed rows are lost, and nothing is damaged", "[sim][disk]") {
  const Damage damage = cut_power_often("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", 500);
  CHECK(damage.lost > 50);
  CHECK(damage.corrupt == 0);
}

TEST_CASE("with synchronous=OFF databases are damaged", "[sim][disk]") {
  const Damage damage = cut_power_often("PRAGMA journal_mode=DELETE; PRAGMA synchronous=OFF", 200);
  CHECK(damage.corrupt > 10);
}

}  // namespace
}  // namespace fieldsync::sim
