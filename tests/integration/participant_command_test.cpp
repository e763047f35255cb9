// `fieldsync-server participant`: who reads which records in the mode own, from the office's machine to a device.
#include <catch2/catch.hpp>

#include "support/test_server.h"

using namespace fieldsync::testing;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string succeeds(const Finished& finished) {
  INFO(finished.output);
  REQUIRE(finished.exit_code == 0);
  return finished.output;
}

// Bakyt reads all of the scope, Dilnoza her own.
struct Start {
  TestServer server;

  Start() {
    office({"person", "add", "Dilnoza", "--scope", "Osh region", "--mode", "own"});
    server.enrol("bakyt");
    const std::string text = json_value(office({"enrol-code", "Dilnoza", "--json"}), "enrolment");
    app("dilnoza", {"enrol", text, "--name", "phone"});
    app("dilnoza", {"sync"});
  }
  std::string office(const std::vector<std::string>& arguments) const { return succeeds(server.administer(arguments)); }
  std::string app(const std::string& store, const std::vector<std::string>& arguments) const {
    return succeeds(server.app(store, arguments));
  }
  std::string visits_of(const std::string& store) const {
    app(store, {"sync"});
    return app(store, {"list", "visit"});
  }
};

}  // namespace

TEST_CASE("A guest is let into one visit with its observations, and out again") {
  const Start start;
  const std::string visit = json_value(start.app("bakyt", {"--json", "new", "visit", "summary=Cell 4."}), "id");
  start.app("bakyt", {"new", "visit", "summary=Another."});
  const std::string observation =
      json_value(start.app("bakyt", {"--json", "new", "observation", "visit=" + visit, "text=en:Cold."}), "id");
  start.app("bakyt", {"sync"});
  CHECK_FALSE(has(start.visits_of("dilnoza"), "Cell 4."));
  CHECK(has(start.office({"person", "list"}), "own records"));
  start.office({"participant", "add", visit, "Dilnoza"});
  const std::string seen = start.visits_of("dilnoza");
  CHECK(has(start.app("dilnoza", {"show", visit}), "Cell 4."));
  CHECK_FALSE(has(seen, "Another."));
  CHECK(has(start.app("dilnoza", {"show", observation}), "Cold."));
  CHECK(has(start.office({"participant", "list", visit}), "Dilnoza"));
  start.office({"participant", "remove", visit, "Dilnoza"});
  start.app("dilnoza", {"sync"});
  CHECK(start.server.app("dilnoza", {"show", visit}).exit_code == 1);
  CHECK(start.server.app("dilnoza", {"show", observation}).exit_code == 1);
  CHECK(json_value(start.office({"participant", "list", visit, "--json"}), "name") == "Bakyt");
  CHECK(has(start.office({"check"}), "All is sound"));
}

TEST_CASE("A wrong participant is refused with what to do") {
  const Start start;
  const std::string visit = json_value(start.app("bakyt", {"--json", "new", "visit", "summary=Cell 4."}), "id");
  start.app("bakyt", {"sync"});
  start.office({"person", "add", "Stranger"});
  const auto refused = [&](const std::string& record, const std::string& person) {
    const Finished done = start.server.administer({"participant", "add", record, person});
    CHECK(done.exit_code == 1);
    return done.output;
  };
  CHECK(has(refused("cell", "Dilnoza"), "[invalid_argument]"));
  CHECK(has(refused(std::string(32, 'a'), "Dilnoza"), "[not_found]"));
  CHECK(has(refused(visit, "Nobody"), "[not_found]"));
  CHECK(has(refused(visit, "Stranger"), "fieldsync-server person join"));
  CHECK(start.server.administer({"person", "join", "Dilnoza", "Osh region", "--mode", "some"}).exit_code == 2);
}
