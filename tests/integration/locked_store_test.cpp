// The command line over a locked store: passphrases, the key that is kept between commands,
// and stores that are wiped while the program is killed.
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <random>
#include <thread>

#include "fieldsync/database.h"
#include "support/test_server.h"

using namespace fieldsync;
using namespace fieldsync::testing;
namespace fs = std::filesystem;

namespace {

bool says(const Finished& finished, const std::string& code) {
  return finished.output.find("[" + code + "]") != std::string::npos;
}

// A store of its own that nothing has unlocked, with a memory file system for kept keys.
struct LockedStore {
  TemporaryFolder folder;
  TestServer server;
  std::string store = path("store");

  LockedStore() {
    fs::create_directories(path("runtime"));
    write_to(path("old"), "five words that nobody guesses\n");
    write_to(path("new"), "five other words, also unguessed\n");
    const Finished enrolled =
        app({"--passphrase-file", path("old"), "enrol", server.enrolment_text(), "--name", "tablet"});
    INFO(enrolled.output);
    REQUIRE(enrolled.exit_code == 0);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  [[nodiscard]] Finished app(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command = {"env", "-u", "FIELDSYNC_KEY_FILE",     "XDG_RUNTIME_DIR=" + path("runtime"),
                                        "sh",  "-c", "exec \"$@\" </dev/null", "sh"};
    for (const std::string& word : std::vector<std::string>{FIELDSYNC_APP, "--store", store}) command.push_back(word);
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command);
  }
};

}  // namespace

TEST_CASE("A locked store says how to open it, and a wrong passphrase opens nothing") {
  const LockedStore locked;
  const Finished without = locked.app({"status"});
  CHECK(without.exit_code == 1);
  CHECK(says(without, "locked"));
  CHECK(without.output.find("--passphrase-file") != std::string::npos);
  CHECK(says(locked.app({"status", "--passphrase-file", locked.path("new")}), "wrong_passphrase"));
  CHECK(says(locked.app({"status", "--passphrase-file", locked.path("nowhere")}), "not_found"));
  write_to(locked.path("empty"), "\n");
  CHECK(says(locked.app({"status", "--passphrase-file", locked.path("empty")}), "invalid_argument"));
  write_to(locked.path("short"), "short");
  CHECK(says(locked.app({"status", "--key-file", locked.path("short")}), "invalid_argument"));
  CHECK(says(locked.app({"status", "--key-file", locked.path("missing")}), "not_found"));
  CHECK(locked.app({"status", "--passphrase-file", locked.path("old")}).exit_code == 0);
}

TEST_CASE("A passphrase is changed, and the former one opens the store no more") {
  const LockedStore locked;
  const Finished changed =
      locked.app({"passphrase", "--passphrase-file", locked.path("old"), "--new-passphrase-file", locked.path("new")});
  INFO(changed.output);
  CHECK(changed.exit_code == 0);
  CHECK(says(locked.app({"status", "--passphrase-file", locked.path("old")}), "wrong_passphrase"));
  CHECK(locked.app({"status", "--passphrase-file", locked.path("new")}).exit_code == 0);
}

TEST_CASE("A store that is unlocked stays open for commands until it is locked or its time is over") {
  const LockedStore locked;
  const Finished unlocked = locked.app({"unlock", "--passphrase-file", locked.path("old")});
  INFO(unlocked.output);
  REQUIRE(unlocked.exit_code == 0);
  CHECK(locked.app({"status"}).exit_code == 0);
  CHECK(locked.app({"sync"}).exit_code == 0);
  CHECK(locked.app({"lock"}).exit_code == 0);
  CHECK(says(locked.app({"status"}), "locked"));
  CHECK(says(locked.app({"lock"}), "not_found"));
  CHECK(fs::is_empty(locked.path("runtime")));
  // However often, no slot stays behind: there are eight.
  for (int i = 0; i < 10; ++i) REQUIRE(locked.app({"unlock", "--passphrase-file", locked.path("old")}).exit_code == 0);
  // Its time is over.
  std::string kept;
  for (const auto& file : fs::directory_iterator(locked.path("runtime"))) kept = file.path().string();
  std::string key = content_of(kept);
  write_to(kept, "1" + key.substr(key.find(' ')));
  CHECK(says(locked.app({"status"}), "locked"));
  CHECK_FALSE(fs::exists(kept));
  write_to(kept, key);
  CHECK(says(locked.app({"status"}), "locked"));
}

TEST_CASE("A store without its journal says how to go on, and goes on when told to") {
  LockedStore locked;
  // As where the app ended in the middle, and a cleaner took the journal.
  {
    const auto database =
        Database::open({.directory = locked.store, .credentials = {.passphrase = "five words that nobody guesses"}});
    REQUIRE(database);
    REQUIRE((*database)->set_server("localhost:1"));
    fs::create_directories(locked.path("left"));
    fs::copy_file(locked.store + "/fieldsync.db", locked.path("left") + "/fieldsync.db");
  }
  locked.store = locked.path("left");
  const std::vector<std::string> passphrase = {"--passphrase-file", locked.path("old")};
  const Finished without = locked.app({"status", passphrase[0], passphrase[1]});
  CHECK(without.exit_code == 1);
  CHECK(says(without, "journal_missing"));
  CHECK(without.output.find("fieldsync unlock --without-journal") != std::string::npos);
  CHECK(says(locked.app({"unlock", passphrase[0], passphrase[1]}), "journal_missing"));
  CHECK(locked.app({"unlock", "--without-journal", passphrase[0], passphrase[1]}).exit_code == 0);
  CHECK(locked.app({"status", passphrase[0], passphrase[1]}).exit_code == 0);
}

TEST_CASE("A wipe that is killed at any moment leaves nothing that opens, and the next one ends it, again and again") {
  const LockedStore locked;
  CHECK(says(locked.app({"wipe"}), "invalid_argument"));
  const std::string kept = locked.path("kept");
  fs::copy(locked.store, kept, fs::copy_options::recursive);
  std::mt19937_64 random(1);
  const int wipes = std::getenv("FIELDSYNC_LONG") != nullptr ? 200 : 20;
  int interrupted = 0;
  for (int i = 0; i < wipes; ++i) {
    fs::remove_all(locked.store);
    fs::copy(kept, locked.store, fs::copy_options::recursive);
    Process wipe({FIELDSYNC_APP, "--store", locked.store, "wipe", "--yes"}, locked.path("wipe.log"));
    const std::string database = locked.store + "/fieldsync.db";
    // It has begun to write then.
    const auto written = [&] {
      std::error_code none;
      const auto size = fs::file_size(database + "-wal", none);
      return !none && size > 0;
    };
    while (wipe.running() && fs::exists(database) && !written()) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 15'000));
    wipe.kill();
    const bool began = !fs::exists(database) || content_of(database) != content_of(kept + "/fieldsync.db") ||
                       (fs::exists(database + "-wal") && fs::file_size(database + "-wal") > 0);
    if (fs::exists(database) && began) ++interrupted;
    const Finished opened = locked.app({"status", "--passphrase-file", locked.path("old")});
    // Killed before its first commit, it has not happened.
    if (opened.exit_code != 0) CHECK((says(opened, "wiped") || says(opened, "not_found")));
    const Finished again = locked.app({"wipe", "--yes"});
    INFO(again.output);
    CHECK((again.exit_code == 0 || says(again, "not_found")));
    CHECK_FALSE(fs::exists(database));
    CHECK(says(locked.app({"status", "--passphrase-file", locked.path("old")}), "not_found"));
  }
  CHECK(interrupted > 0);
  std::cout << interrupted << " of " << wipes << " wipes were killed in the middle" << std::endl;
}
