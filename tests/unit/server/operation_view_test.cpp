#include "app/operation_view.h"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>
#include <sstream>

#include "support/core_builders.h"

using namespace fieldsync;
using namespace fieldsync::testing;

TEST_CASE("Nothing that somebody wrote acts on the office's terminal") {
  CHECK(server::for_terminal("Камера 4 суук.") == "Камера 4 суук.");
  CHECK(server::for_terminal("a\x1b[2Jb") == "a\\x1b[2Jb");
  CHECK(server::for_terminal("a\nb\tc") == "a\\x0ab\\x09c");
  CHECK(server::for_terminal("\xc2\x9b"
                             "1m") == "\\xc2\\x9b1m");
  CHECK(server::for_terminal("\xff\xc0") == "\\xff\\xc0");
  CHECK(server::for_terminal("a\xe2\x80\xae"
                             "b\xe2\x81\xa6") == "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6");
  CHECK(server::for_terminal("cut \xd0") == "cut \\xd0");
}

TEST_CASE("JSON holds text as it is, and what is none escaped") {
  CHECK(server::json_text("Камера 4\n суук.") == "Камера 4\n суук.");
  CHECK(server::json_text("\xff\x1b") == "\\xff\\x1b");
}

TEST_CASE("An operation of a form that the office does not have is shown by its numbers") {
  core::Operation operation;
  operation.form = "diary";
  operation.writes.push_back({{{}, 7}, std::string("a\x1b"), {}});
  std::ostringstream out;
  server::print_writes(out, operation, nullptr);
  CHECK(out.str() == "  field 7: a\\x1b\n");
  const std::string json = boost::json::serialize(server::operation_json(operation, nullptr));
  CHECK(json.find("\"field\":7") != std::string::npos);
  CHECK(json.find('\x1b') == std::string::npos);
}
