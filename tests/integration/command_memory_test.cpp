// A command that needs more memory than there is ends itself, and not the server that carries it out.
#include <unistd.h>

#include <catch2/catch.hpp>

#include "support/server_folder.h"
#include "support/test_server.h"

using namespace fieldsync::testing;

TEST_CASE("A server out of memory at a command refuses that command and goes on") {
  TestServer server;
  server.stop();
  server.start({"prlimit", "--as=2000000000", "--"});
  const std::string file = server.path("large.csv");
  write_to(file, "");
  // A hole, which takes no room on the disk.
  REQUIRE(::truncate(file.c_str(), 4'000'000'000) == 0);
  check_refusal(server.administer({"import", "facility", file, "--scope", "Osh region", "--key", "external_code"}),
                refused, "internal_error");
  CHECK(server.running());
  CHECK(server.administer({"check"}).exit_code == 0);
}
