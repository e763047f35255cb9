// `fieldsync amend`: what the office refused is put right on the device that saved it, and
// arrives.
#include <catch2/catch.hpp>

#include "support/test_server.h"

using namespace fieldsync::testing;

namespace {

// Bakyt's phone, and the office that changes what Bakyt may do.
struct Refused {
  TestServer server;

  Refused() { server.enrol("phone"); }

  void office(const std::vector<std::string>& arguments) const { succeeds(server.administer(arguments)); }
  void may(const std::string& role, const std::string& scope = "Osh region") const {
    office({"person", "join", "Bakyt", scope, "--role", role});
  }
  std::string phone(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "--json");
    return succeeds(server.app("phone", arguments));
  }
  [[nodiscard]] std::string status(const std::string& what) const { return json_value(phone({"status"}), what); }
  // Syncs; the number of the one save that the office refused.
  [[nodiscard]] std::string refused_number() const {
    CHECK(json_value(phone({"sync"}), "operations_refused") == "1");
    CHECK(status("refused") == "1");
    const std::string text = phone({"status"});
    return json_value(text.substr(text.find("\"refused_operations\"")), "counter");
  }
  // What another device sees of the record after a sync.
  [[nodiscard]] std::string at_another(const std::string& record) const {
    server.enrol("another");
    return succeeds(server.app("another", {"--json", "show", record}));
  }

 private:
  static std::string succeeds(const Finished& finished) {
    INFO(finished.output);
    REQUIRE(finished.exit_code == 0);
    return finished.output;
  }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("What a reader saved is refused, and arrives as it was put right when they may write again") {
  const Refused start;
  const std::string record = json_value(start.phone({"new", "visit", "summary=Cell 4."}), "id");
  start.phone({"sync"});
  start.may("board");
  start.phone({"edit", record, "summary=Cell 5 has no bed."});
  const std::string number = start.refused_number();
  CHECK(has(start.server.app("phone", {"status"}).output, "fieldsync amend NUMBER FIELD=VALUE"));
  CHECK(has(start.phone({"show", record}), "Cell 4."));
  start.may("monitor");
  CHECK(json_value(start.phone({"amend", number, "type=comprehensive"}), "id") == record);
  CHECK(start.status("refused") == "0");
  CHECK(start.status("saved_here") == "1");
  start.phone({"sync"});
  CHECK(start.status("refused") == "0");
  CHECK(start.status("saved_here") == "0");
  const std::string seen = start.at_another(record);
  CHECK(has(seen, "Cell 5 has no bed."));
  CHECK(has(seen, "comprehensive"));
  CHECK_FALSE(has(seen, "Cell 4."));
  const Finished again = start.server.app("phone", {"amend", number, "type=comprehensive"});
  CHECK(again.exit_code == 1);
  CHECK(has(again.output, "[not_found]"));
}

TEST_CASE("A report for a scope that was left is refused, and arrives as a new record of another") {
  const Refused start;
  start.office({"scope", "add", "Batken region"});
  start.may("monitor", "Batken region");
  start.phone({"sync"});
  const std::string record =
      json_value(start.phone({"new", "visit", "summary=Cell 4.", "--scope", "Osh region"}), "id");
  start.office({"person", "leave", "Bakyt", "Osh region"});
  const std::string number = start.refused_number();
  const Finished in_place = start.server.app("phone", {"amend", number, "summary=Cell 5."});
  INFO(in_place.output);
  CHECK(in_place.exit_code == 1);
  CHECK(has(in_place.output, "[scope_not_found]"));
  CHECK(has(in_place.output, "--into"));
  const std::string moved =
      json_value(start.phone({"amend", number, "--into", "Batken region", "summary=Cell 5."}), "id");
  CHECK(moved != record);
  start.phone({"sync"});
  CHECK(start.status("refused") == "0");
  CHECK(start.status("saved_here") == "0");
  // Which has no other scope.
  CHECK(has(start.at_another(moved), "Cell 5."));
}

TEST_CASE("A refusal that is let be is listed no more, and stays in the office's quarantine") {
  const Refused start;
  start.may("board");
  start.phone({"new", "visit", "summary=Cell 4."});
  const std::string number = start.refused_number();
  CHECK(json_value(start.phone({"amend", number, "--let-be"}), "counter") == number);
  CHECK(start.status("refused") == "0");
  CHECK(json_value(start.server.administer({"status", "--json"}).output, "quarantined") == "1");
  start.phone({"sync"});
  CHECK(start.status("refused") == "0");
}
