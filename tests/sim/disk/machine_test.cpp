// Faults as a program meets them: through SQLite.
#include "sim/disk/machine.h"

#include <sqlite3.h>

#include <catch2/catch.hpp>
#include <random>
#include <set>

#include "sim/disk/open_file.h"
#include "sim/disk/simulated_vfs.h"
#include "sqlite/connection.h"

namespace fieldsync::sim {
namespace {

using sqlite::Connection;
using sqlite::OpenMode;
using sqlite::SqliteError;

struct Simulation {
  std::mt19937_64 generator{11};
  std::int64_t now = 1'795'500'000'000;
  SimulatedVfs vfs{[this] { return generator(); }, [this] { return now; }};
  Machine& machine = vfs.add_machine("/sim/one");

  // A database with a table, in WAL mode.
  [[nodiscard]] std::unique_ptr<Connection> open(const std::string& path = "/sim/one/a.db") const {
    auto connection = std::make_unique<Connection>(path, OpenMode::read_write);
    connection->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS t(x);");
    return connection;
  }
};

std::int64_t count(Connection& connection) {
  auto select = connection.prepare("SELECT count(*) FROM t");
  select.step();
  return select.integer(0);
}

TEST_CASE("machines have files of their own", "[sim][disk]") {
  Simulation sim;
  Machine& other = sim.vfs.add_machine("/sim/other");
  auto connection = sim.open();
  CHECK(other.files().names().empty());
  CHECK(sim.machine.files().find("/sim/one/a.db"));
  CHECK_THROWS_AS(sim.open("/sim/nobody/a.db"), SqliteError);
}

TEST_CASE("readers stand beside the writer and see what is committed", "[sim][disk]") {
  Simulation sim;
  auto writer = sim.open();
  Connection reader("/sim/one/a.db", OpenMode::read_only);
  Connection second_reader("/sim/one/a.db", OpenMode::read_only);
  CHECK(count(reader) == 0);
  writer->execute("BEGIN IMMEDIATE; INSERT INTO t VALUES(1);");
  CHECK(count(reader) == 0);
  writer->execute("COMMIT");
  CHECK(count(reader) == 1);
  const sqlite::ReadTransaction snapshot(reader);
  CHECK(count(reader) == 1);
  writer->execute("INSERT INTO t VALUES(2); PRAGMA wal_checkpoint(TRUNCATE);");
  CHECK(count(reader) == 1);
  CHECK(count(second_reader) == 2);
}

TEST_CASE("an exclusive lock keeps others out, and the store is found again after closing", "[sim][disk]") {
  Simulation sim;
  {
    Connection connection("/sim/one/a.db", OpenMode::read_write);
    connection.lock_exclusively();
    connection.execute("PRAGMA journal_mode=WAL; CREATE TABLE t(x); INSERT INTO t VALUES(1)");
    CHECK_THROWS_AS(sim.open(), SqliteError);
  }
  auto connection = sim.open();
  CHECK(count(*connection) == 1);
}

TEST_CASE("a full disk is SQLITE_FULL, and there is room again later", "[sim][disk]") {
  Simulation sim;
  auto connection = sim.open();
  sim.machine.set_capacity(sim.machine.files().bytes_used());
  try {
    connection->execute("INSERT INTO t VALUES(1)");
    FAIL("there was no room");
  } catch (const SqliteError& error) {
    CHECK(error.code() == Errc::storage_full);
  }
  CHECK(sim.machine.fault_counts().disk_full > 0);
  sim.machine.set_capacity(std::nullopt);
  connection->execute("INSERT INTO t VALUES(1)");
  CHECK(count(*connection) == 1);
}

TEST_CASE("an I/O error comes once or for ever", "[sim][disk]") {
  Simulation sim;
  auto connection = sim.open();
  sim.machine.inject({Fault::Effect::io_error_once, Among::writes, 1});
  CHECK_THROWS_AS(connection->execute("INSERT INTO t VALUES(1)"), SqliteError);
  connection->execute("INSERT INTO t VALUES(1)");
  sim.machine.inject({Fault::Effect::io_error_for_ever, Among::syncs, 1});
  CHECK_THROWS_AS(connection->execute("INSERT INTO t VALUES(1)"), SqliteError);
  CHECK_THROWS_AS(connection->execute("INSERT INTO t VALUES(1)"), SqliteError);
  sim.machine.clear_faults();
  connection->execute("INSERT INTO t VALUES(1)");
  CHECK(count(*connection) == 2);
  CHECK(sim.machine.fault_counts().io_errors == 3);
}

TEST_CASE("after a power cut open files fail until they are closed and the machine starts", "[sim][disk]") {
  Simulation sim;
  auto connection = sim.open();
  connection->execute("INSERT INTO t VALUES(1)");
  sim.machine.inject({Fault::Effect::power_cut, Among::changes, 2});
  CHECK_THROWS_AS(connection->execute("INSERT INTO t VALUES(2)"), SqliteError);
  CHECK_FALSE(sim.machine.is_running());
  CHECK_THROWS_AS(count(*connection), SqliteError);
  CHECK_THROWS_AS(sim.open(), SqliteError);
  sim.machine.start();
  CHECK_THROWS_AS(count(*connection), SqliteError);
  auto again = sim.open();
  CHECK(count(*again) >= 1);
  connection.reset();
  again->execute("INSERT INTO t VALUES(3)");
}

TEST_CASE("a power cut within a rename finds it done or not", "[sim][disk]") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    Machine machine("/m",
                    [state = seed]() mutable { return state = state * 6364136223846793005u + 1442695040888963407u; });
    {
      std::unique_ptr<OpenFile> file;
      REQUIRE(machine.open("/m/a", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, file) == SQLITE_OK);
      REQUIRE(file->write("x", 0) == SQLITE_OK);
      REQUIRE(file->sync() == SQLITE_OK);
    }
    machine.inject({Fault::Effect::power_cut, Among::changes, 1});
    CHECK(machine.rename("/m/a", "/m/b") != SQLITE_OK);
    REQUIRE(machine.files().names().size() == 1);
    seen.insert(machine.files().names().front());
  }
  CHECK(seen == std::set<std::string>{"/m/a", "/m/b"});
}

TEST_CASE("restoring gives a machine the files of a snapshot", "[sim][disk]") {
  Simulation sim;
  sim.open()->execute("INSERT INTO t VALUES(1)");
  const FileTree backup = sim.machine.files();
  sim.open()->execute("INSERT INTO t VALUES(2)");
  CHECK(count(*sim.open()) == 2);
  sim.machine.restore(backup);
  CHECK(count(*sim.open()) == 1);
}

TEST_CASE("changes that were watched replay to the same files", "[sim][disk]") {
  Simulation sim;
  std::vector<DiskChange> trace;
  sim.machine.watch({.changed = [&](const DiskChange& change) { trace.push_back(change); }});
  sim.open()->execute("INSERT INTO t VALUES(1); DELETE FROM t; INSERT INTO t VALUES(2)");
  sim.machine.watch({});
  CHECK(trace.size() == sim.machine.count(Among::changes));
  FileTree replayed;
  for (const DiskChange& change : trace) replayed.apply(change);
  REQUIRE(replayed.names() == sim.machine.files().names());
  for (const std::string& name : replayed.names()) {
    CHECK(replayed.content(*replayed.find(name)) == sim.machine.files().content(*sim.machine.files().find(name)));
  }
}

TEST_CASE("what is forced holds against the connection's own pragmas", "[sim][disk]") {
  Simulation sim;
  sim.vfs.force_checkpoint_pages(7);
  sim.vfs.force_synchronous("NORMAL");
  auto connection = sim.open();
  connection->execute("PRAGMA wal_autocheckpoint=4000; PRAGMA synchronous=FULL");
  auto pages = connection->prepare("PRAGMA wal_autocheckpoint");
  REQUIRE(pages.step());
  CHECK(pages.integer(0) == 7);
  auto mode = connection->prepare("PRAGMA synchronous");
  REQUIRE(mode.step());
  CHECK(mode.integer(0) == 1);
}

TEST_CASE("time and random numbers of SQLite come from the simulation", "[sim][disk]") {
  const auto answers = [] {
    Simulation sim;
    auto connection = sim.open();
    auto select = connection->prepare("SELECT unixepoch(), random()");
    REQUIRE(select.step());
    CHECK(select.integer(0) == sim.now / 1'000);
    return select.integer(1);
  };
  CHECK(answers() == answers());
}

}  // namespace
}  // namespace fieldsync::sim
