// `fieldsync-server quarantine`: what a person at the office reads and decides, with a real device.
#include <catch2/catch.hpp>
#include <filesystem>

#include "support/test_server.h"

using namespace fieldsync::testing;

namespace {

// Bakyt's phone, with an edit that the office refused.
struct Refused {
  TestServer server;
  std::string record;
  std::string id;

  Refused() {
    server.enrol("phone");
    record = json_value(phone({"new", "visit", "summary=Cell 4."}), "id");
    phone({"sync"});
    office({"person", "join", "Bakyt", "Osh region", "--role", "board"});
    phone({"edit", record, "summary=Cell 5 has no bed."});
    CHECK(json_value(phone({"sync"}), "operations_refused") == "1");
    id = json_value(office({"quarantine", "list", "--json"}), "id");
  }
  std::string office(const std::vector<std::string>& arguments) const { return succeeds(server.administer(arguments)); }
  std::string phone(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "--json");
    return succeeds(server.app("phone", arguments));
  }

  static std::string succeeds(const Finished& finished) {
    INFO(finished.output);
    REQUIRE(finished.exit_code == 0);
    return finished.output;
  }
};

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("What is in quarantine is listed and shown: whose, why, and what it holds") {
  const Refused start;
  const std::string list = start.office({"quarantine", "list"});
  for (const char* part : {"Bakyt", "not_permitted", "visit", "Osh region"}) CHECK(has(list, part));
  CHECK(has(list, start.record.substr(0, 8)));
  const std::string short_id = list.substr(list.find('\n') + 1, list.find("  ", list.find('\n')) - list.find('\n') - 1);
  for (const std::string& id : {start.id, short_id}) {
    const std::string shown = start.office({"quarantine", "show", id});
    for (const char* part : {"Cell 5 has no bed.", "Your role in this scope does not allow that.", "[not_permitted]"})
      CHECK(has(shown, part));
  }
  const std::string json = start.office({"quarantine", "show", start.id, "--json"});
  for (const char* part : {"\"value\":\"Cell 5 has no bed.\"", "\"person\":\"Bakyt\"", "\"code\":\"not_permitted\"",
                           "\"scope_name\":\"Osh region\"", "\"name\":\"summary\"", "\"returned\":false"})
    CHECK(has(json, part));
  const std::string device = start.id.substr(0, start.id.find(':'));
  CHECK(has(start.office({"quarantine", "list", "--device", device.substr(0, 6)}), "Bakyt"));
}

TEST_CASE("A save that is accepted is shown on its device and on another one, and refused no more") {
  const Refused start;
  CHECK(has(start.office({"quarantine", "accept", start.id}), "is applied"));
  start.phone({"sync"});
  CHECK(json_value(start.phone({"status"}), "refused") == "0");
  CHECK(has(start.phone({"show", start.record}), "Cell 5 has no bed."));
  start.server.enrol("another");
  CHECK(has(start.server.app("another", {"show", start.record}).output, "Cell 5 has no bed."));
  CHECK(start.server.digest("phone") == start.server.digest());
  CHECK(start.server.digest("another") == start.server.digest());
  start.office({"check"});
  CHECK(start.server.administer({"quarantine", "accept", start.id}).exit_code == 1);
}

TEST_CASE("A save that is returned is told with its note, and amended") {
  const Refused start;
  CHECK(has(start.office({"quarantine", "return", start.id, "--note", "It was cell 6, I think."}), "is returned"));
  start.phone({"sync"});
  const std::string status = start.server.app("phone", {"status"}).output;
  CHECK(has(status, "It was cell 6, I think. [returned]"));
  start.office({"person", "join", "Bakyt", "Osh region", "--role", "monitor"});
  const std::string number = start.id.substr(start.id.find(':') + 1);
  start.phone({"amend", number, "summary=Cell 6 has no bed."});
  start.phone({"sync"});
  CHECK(json_value(start.phone({"status"}), "refused") == "0");
  CHECK(has(start.phone({"show", start.record}), "Cell 6 has no bed."));
  const Finished again = start.server.administer({"quarantine", "accept", start.id});
  CHECK(again.exit_code == 1);
  CHECK(has(again.output, "[superseded]"));
  CHECK(has(start.office({"quarantine", "show", start.id}), "Returned: It was cell 6, I think. [not_permitted]"));
}

TEST_CASE("All of quarantine is exported, with its signed bytes, for its owner only") {
  const Refused start;
  const std::string file = start.server.path("quarantine.jsonl");
  CHECK(has(start.office({"quarantine", "export", file}), "1 operations written."));
  const std::string line = content_of(file);
  CHECK(line.find('\n') == line.size() - 1);
  for (const char* part : {"Cell 5 has no bed.", "\"signed_bytes\":\"", "\"attachments\":[]"}) CHECK(has(line, part));
  CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("What is named wrong is refused with a sentence") {
  const Refused start;
  const auto refused = [&](const std::string& id, const std::string& code) {
    for (const char* command : {"show", "accept"}) {
      const Finished done = start.server.administer({"quarantine", command, id});
      CHECK(done.exit_code == 1);
      CHECK(has(done.output, "[" + code + "]"));
    }
  };
  refused("nothing", "invalid_argument");
  refused("nothing:7", "not_found");
  refused(start.id + "0000", "not_found");
  refused(start.id + "x", "invalid_argument");
  refused(start.id.substr(0, start.id.find(':') + 1), "invalid_argument");
  const Finished no_note = start.server.administer({"quarantine", "return", start.id, "--note", ""});
  CHECK(has(no_note.output, "[invalid_text]"));
}

TEST_CASE("The history names the save that was shown, and nothing that named none") {
  const Refused start;
  const std::string file = start.server.path("history");
  const auto entries = [&] {
    std::filesystem::remove(file);
    return std::stoi(start.office({"history", "export", file}));
  };
  const int before = entries();
  const std::string wrong = "no such save " + std::string(5'000, 'x');
  CHECK(start.server.administer({"quarantine", "show", wrong}).exit_code == 1);
  CHECK(start.server.administer({"quarantine", "show", start.id + "0000"}).exit_code == 1);
  CHECK(entries() == before + 1);  // the export's own
  start.office({"quarantine", "show", start.id.substr(0, 8) + start.id.substr(start.id.find(':'))});
  CHECK(entries() == before + 3);
  CHECK(has(content_of(file), "quarantine_show"));
}
