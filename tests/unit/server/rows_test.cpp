#include "app/rows.h"

#include <catch2/catch.hpp>
#include <sstream>

using namespace fieldsync;

TEST_CASE("A device's own name cannot forge rows of the table in which fingerprints are compared") {
  const std::string name = "phone\n1a2b 3c4d\tAigul\xe2\x80\xae";
  std::ostringstream table;
  server::print_table(table, {"name", "state"}, {{name, "active"}, {"Телефон", nullptr}, {"\xd8\x9c", nullptr}});
  CHECK(table.str() ==
        "name                                     state\n"
        "phone\\x0a1a2b 3c4d\\x09Aigul\\xe2\\x80\\xae  active\n"
        "Телефон                                  -\n"
        "\\xd8\\x9c                                 -\n");
  std::ostringstream json;
  server::print_json_rows(json, {"name"}, {{name}});
  CHECK(json.str() == "[{\"name\":\"phone\\n1a2b 3c4d\\tAigul\xe2\x80\xae\"}]\n");
}
