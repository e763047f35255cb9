// A server's folder of an older version, or a copy from before the server had a log, in the hands of the real program.
#include <catch2/catch.hpp>
#include <filesystem>

#include "support/old_database.h"
#include "support/test_server.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

Finished succeeds(Finished finished) {
  INFO(finished.output);
  REQUIRE(finished.exit_code == 0);
  return finished;
}

bool says(const Finished& finished, const std::string& words) {
  INFO(finished.output);
  return finished.output.find(words) != std::string::npos;
}

// Stopped, with a phone that has saved and synced twice.
struct OldFolder {
  TestServer server;
  std::string log_key;

  explicit OldFolder(int version) {
    server.enrol("phone");
    succeeds(server.app("phone", {"new", "facility", "capacity=7"}));
    succeeds(server.app("phone", {"sync"}));
    succeeds(server.app("phone", {"new", "visit", "summary=Cell 4"}));
    succeeds(server.app("phone", {"sync"}));
    REQUIRE(server.stop() == 0);
    make_old(server.path("server/fieldsync-server.db"), version);
    log_key = content_of(key_file());
    std::filesystem::remove(key_file());
  }
  [[nodiscard]] std::string key_file() const { return server.path("server/log.key"); }
  void check_refused() const {
    for (const std::string command : {"status", "serve"}) {
      const Finished refused = server.administer({command});
      // Else it would serve.
      REQUIRE(refused.exit_code == 1);
      CHECK(says(refused, "Put back log.key from the newest copy of this folder."));
      CHECK(says(refused, "[not_found]"));
      CHECK_FALSE(std::filesystem::exists(key_file()));
    }
  }
};

}  // namespace

TEST_CASE("A folder of an older version goes on in the real program, once somebody says that it never had a log key",
          "[audit]") {
  const int version = GENERATE(1, 2, 3);
  CAPTURE(version);
  OldFolder folder(version);
  TestServer& server = folder.server;
  folder.check_refused();
  const Finished made = succeeds(server.administer({"init"}));
  const std::string fingerprint =
      json_value(succeeds(server.administer({"fingerprint", "--json"})).output, "fingerprint");
  CHECK(says(made, fingerprint));
  CHECK(says(server.administer({"init"}), "There is a server in"));
  server.start();
  succeeds(server.administer({"check"}));
  succeeds(server.administer({"history", "export", server.path("before")}));
  CHECK(
      says(succeeds(server.administer({"verify", server.path("before"), "--root", fingerprint})), " 2 batches by 1 "));
  server.enrol("tablet");
  CHECK(server.digest("tablet") == server.digest());
  succeeds(server.app("tablet", {"new", "facility", "capacity=8"}));
  succeeds(server.app("tablet", {"sync"}));
  succeeds(server.administer({"history", "export", server.path("after")}));
  CHECK(says(succeeds(server.administer({"verify", server.path("after"), "--root", fingerprint})), " 3 batches by 2 "));
  CHECK(server.stop() == 0);
}

TEST_CASE(
    "A copy from before the server had a log is restored: nobody gets another key, and with the right one back "
    "devices go on",
    "[audit]") {
  OldFolder folder(3);
  TestServer& server = folder.server;
  folder.check_refused();
  write_to(folder.key_file(), folder.log_key);
  server.start();
  CHECK(json_value(succeeds(server.app("phone", {"--json", "sync"})).output, "history_set_back") == "true");
  succeeds(server.app("phone", {"new", "facility", "capacity=9"}));
  succeeds(server.app("phone", {"sync"}));
  CHECK(server.digest("phone") == server.digest());
}
