// What an operator says of scopes and people: what is taken, what is refused, and what they are told.
#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>

#include "support/server_folder.h"
#include "support/test_server.h"

using namespace fieldsync::testing;

namespace {

bool has(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

std::string repeated(const std::string& character, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += character;
  return text;
}

}  // namespace

TEST_CASE("A name that devices could not show is refused for scopes and people, and nothing is stored") {
  const ServerFolder server;
  const std::string before = server.standing();
  // The second is "Ош" in CP1251.
  for (const std::string& name : {std::string(), std::string("\xCE\xF8"), repeated("ө", 65), std::string("Osh\nregion"),
                                  std::string("Osh\tregion"), std::string("Osh\x1b[2J"), std::string("Osh\xC2\x85")}) {
    for (const char* what : {"scope", "person"})
      check_refusal(server.administer({what, "add", name}), refused, "invalid_text");
  }
  CHECK(server.standing() == before);
  const std::string longest = repeated("ө", 64);
  server.succeeds({"scope", "add", longest});
  server.succeeds({"person", "add", longest, "--scope", longest});
}

TEST_CASE("A server is not made for a host that is no line of text") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "server").string();
  for (const std::string& host : {std::string(), std::string("\xCE\xF8"), std::string("a\nb"), std::string(254, 'a')}) {
    check_refusal(run({FIELDSYNC_SERVER, "--dir", path, "init", "--host", host}), refused, "invalid_text");
    CHECK_FALSE(std::filesystem::exists(path));
  }
}

TEST_CASE("Whoever is not in a scope does not leave it, and nothing is written") {
  const ServerFolder server;
  server.succeeds({"scope", "add", "Osh region"});
  server.succeeds({"person", "add", "Bakyt"});
  const auto history = [&](const std::string& name) {
    const std::string file = (server.folder.path() / name).string();
    return server.succeeds({"history", "export", file}).substr(0, 2);  // how many entries
  };
  const std::string before = server.standing();
  const int entries = std::stoi(history("before"));
  check_refusal(server.administer({"person", "leave", "Bakyt", "Osh region"}), refused, "not_found");
  CHECK(server.standing() == before);
  // The second export itself is one.
  CHECK(std::stoi(history("after")) == entries + 1);
  server.succeeds({"person", "join", "Bakyt", "Osh region"});
  CHECK(has(server.succeeds({"person", "leave", "Bakyt", "Osh region"}), "'Bakyt' has left 'Osh region'."));
  check_refusal(server.administer({"person", "leave", "Bakyt", "Osh region"}), refused, "not_found");
}

TEST_CASE("An operator is told that somebody reads their own records only, whatever is the reason") {
  const ServerFolder server;
  server.succeeds({"scope", "add", "Osh region"});
  const std::string own = "in 'Osh region', reading their own records.";
  CHECK(has(server.succeeds({"person", "add", "Dilnoza", "--scope", "Osh region", "--mode", "own"}), "monitor " + own));
  CHECK(has(server.succeeds({"person", "add", "Aigul", "--scope", "Osh region", "--role", "administrator"}),
            "administrator " + own));
  CHECK(has(server.succeeds({"person", "join", "Aigul", "Osh region", "--role", "administrator"}),
            "administrator " + own));
  CHECK(has(server.succeeds({"person", "join", "Aigul", "Osh region"}), "monitor in 'Osh region'."));
  CHECK(has(server.succeeds({"person", "add", "Bakyt", "--scope", "Osh region"}), "monitor in 'Osh region'."));
}

TEST_CASE("A file that is there is not written over, and no code is made nor an export noted") {
  const ServerFolder server;
  server.succeeds({"person", "add", "Bakyt"});
  const std::string file = (server.folder.path() / "file").string();
  write_to(file, "mine");
  const std::string missing = (server.folder.path() / "nowhere" / "file").string();
  check_refusal(server.administer({"enrol-code", "Bakyt", "--svg", file}), refused, "invalid_argument");
  check_refusal(server.administer({"quarantine", "export", file}), refused, "invalid_argument");
  check_refusal(server.administer({"history", "export", file}), refused, "invalid_argument");
  check_refusal(server.administer({"enrol-code", "Bakyt", "--svg", missing}), refused, "storage_failed");
  check_refusal(server.administer({"quarantine", "export", missing}), refused, "storage_failed");
  CHECK(content_of(file) == "mine");
  CHECK(server.succeeds({"code", "list", "--json"}) == "[]\n");
  const std::string history = (server.folder.path() / "history").string();
  server.succeeds({"history", "export", history});
  CHECK(content_of(history).find("quarantine_export") == std::string::npos);
}

TEST_CASE("A refused code leaves no file") {
  const ServerFolder server;
  const std::string file = (server.folder.path() / "code.svg").string();
  check_refusal(server.administer({"enrol-code", "Nobody", "--svg", file}), refused, "not_found");
  CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE("No code stays open that could not be shown, or its name is told") {
  const ServerFolder server;
  server.succeeds({"person", "add", "Bakyt"});
  // A name with no room for the draft's beside it.
  const std::string file = (server.folder.path() / std::string(253, 'a')).string();
  const Finished failed = server.administer({"enrol-code", "Bakyt", "--svg", file});
  check_refusal(failed, refused, "storage_failed");
  CHECK(has(failed.output, "code withdraw " + json_value(server.succeeds({"code", "list", "--json"}), "id")));
  CHECK_FALSE(std::filesystem::exists(file));
  const std::string settings = server.path + "/fieldsync-server.toml";
  const std::string before = server.succeeds({"code", "list", "--json"});
  write_to(settings, "public_address = \"" + std::string(3'000, 'a') + ":9443\"\n");  // too long for a QR code
  check_refusal(server.administer({"enrol-code", "Bakyt"}), refused, "value_too_large");
  CHECK(server.succeeds({"code", "list", "--json"}) == before);
}

TEST_CASE("A scope is found by the first letters of its id for an import as for every other command") {
  const ServerFolder server;
  server.succeeds({"scope", "add", "Osh region"});
  const std::string scope = json_value(server.succeeds({"scope", "list", "--json"}), "id").substr(0, 12);
  const std::string file = (server.folder.path() / "facilities.csv").string();
  write_to(file, "external_code,names:en\nF1,Osh\n");
  CHECK(has(server.succeeds({"import", "facility", file, "--scope", scope, "--key", "external_code"}),
            "1 records written"));
  check_refusal(server.administer({"import", "diary", file, "--scope", scope, "--key", "external_code"}), refused,
                "unknown_form");
  const std::string history = (server.folder.path() / "history").string();
  server.succeeds({"history", "export", history});
  CHECK(content_of(history).find("diary") == std::string::npos);
}

TEST_CASE("A check for scripts says in JSON that the database is damaged") {
  const ServerFolder server;
  server.succeeds({"scope", "add", "Osh region"});
  const Finished damaged = run({"python3", "-c",
                                "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
                                "c.execute('UPDATE scope SET digest = digest + 1'); c.commit()",
                                server.path + "/fieldsync-server.db"});
  INFO(damaged.output);
  REQUIRE(damaged.exit_code == 0);
  const Finished checked = server.administer({"check", "--json"});
  check_refusal(checked, refused, "storage_corrupt");
  CHECK(has(checked.output, R"({"ok":false,"problem":"The digest does not match the records of 'Osh region'."})"));
}

TEST_CASE("Imports that are given at once are all carried out, one after another") {
  const TestServer server;
  std::vector<std::unique_ptr<Process>> imports;
  for (const std::string& name : {std::string("a"), std::string("b"), std::string("c")}) {
    std::string rows = "external_code,names:en\n";
    for (int i = 0; i < 1'200; ++i) rows += name + std::to_string(i) + ",Osh\n";
    write_to(server.path(name), rows);
    imports.push_back(std::make_unique<Process>(
        std::vector<std::string>{FIELDSYNC_SERVER, "--dir", server.path("server"), "import", "facility",
                                 server.path(name), "--scope", "Osh region", "--key", "external_code"},
        server.path(name + ".log")));
  }
  for (const auto& import : imports) CHECK(import->wait() == 0);
  for (const char* name : {"a.log", "b.log", "c.log"})
    CHECK(has(content_of(server.path(name)), "1200 records written"));
  CHECK(server.administer({"check"}).exit_code == 0);
}
