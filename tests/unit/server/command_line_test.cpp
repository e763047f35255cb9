// What fieldsync-server understands, and what it says where it does not.
#include <catch2/catch.hpp>
#include <sstream>

#include "app/commands.h"
#include "app/rows.h"

using namespace fieldsync::server;

namespace {

Invocation parsed(const std::vector<std::string>& arguments) { return parse_command_line(arguments, "/somewhere"); }

std::string refusal(const std::vector<std::string>& arguments) {
  const Invocation invocation = parsed(arguments);
  REQUIRE(invocation.kind == Invocation::Kind::wrong_usage);
  return invocation.text;
}

}  // namespace

TEST_CASE("A wrong command line is answered with what is wrong and the help to read", "[app]") {
  CHECK(refusal({}) == "fieldsync-server: A subcommand is required. See: fieldsync-server --help\n");
  CHECK(refusal({"foo"}) == "fieldsync-server: There is no command 'foo'. See: fieldsync-server --help\n");
  CHECK(refusal({"scope", "foo"}) ==
        "fieldsync-server: There is no command 'foo'. See: fieldsync-server scope --help\n");
  CHECK(refusal({"scope", "add"}) == "fieldsync-server: name is required. See: fieldsync-server scope add --help\n");
  CHECK(refusal({"person", "add", "Бек", "--role", "king"}).find("king not in {monitor,") != std::string::npos);
}

TEST_CASE("A server is made for a port that exists", "[app]") {
  for (const char* port : {"0", "65536", "-1", "https"})
    CHECK(refusal({"init", "--port", port}).find("--port") != std::string::npos);
  CHECK(parsed({"init", "--port", "65535"}).init.port == 65535);
}

TEST_CASE("The server's folder may be named before or after the command", "[app]") {
  CHECK(parsed({"--dir", "/srv/a", "serve"}).folder == "/srv/a");
  CHECK(parsed({"serve", "--dir", "/srv/a"}).folder == "/srv/a");
  CHECK(parsed({"scope", "list", "--dir", "/srv/a"}).folder == "/srv/a");
}

TEST_CASE("Every command that changes something shows an example of itself in its help", "[app]") {
  const std::vector<std::vector<std::string>> commands = {
      {"init"},           {"serve"},           {"scope", "add"}, {"person", "add"},
      {"person", "join"}, {"person", "leave"}, {"enrol-code"},   {"device", "revoke"},
      {"form", "import"}, {"import"},          {"check"}};
  for (auto command : commands) {
    std::string spoken;
    for (const std::string& word : command) spoken += " " + word;
    command.push_back("--help");
    const Invocation help = parsed(command);
    INFO(spoken);
    CHECK(help.kind == Invocation::Kind::help);
    const auto example = help.text.find("\nExample");
    REQUIRE(example != std::string::npos);
    CHECK(help.text.substr(example).find(spoken) != std::string::npos);
  }
}

TEST_CASE("A list is a table for people and typed JSON for programs", "[app]") {
  const std::vector<Row> rows = {{"Ош облусу", 120, true, nullptr}, {"Osh", 7, false, "x"}};
  std::ostringstream table;
  print_table(table, {"name", "beds", "open", "note"}, rows);
  CHECK(table.str() ==
        "name       beds  open  note\n"
        "Ош облусу  120   yes   -\n"
        "Osh        7     no    x\n");
  std::ostringstream json;
  print_json_rows(json, {"name", "beds", "open", "note"}, rows);
  CHECK(json.str() ==
        "[{\"name\":\"Ош облусу\",\"beds\":120,\"open\":true,\"note\":null},"
        "{\"name\":\"Osh\",\"beds\":7,\"open\":false,\"note\":\"x\"}]\n");
}
