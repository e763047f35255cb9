#include "core/errc.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace fieldsync;

TEST_CASE("every error code has one stable name and a sentence that ends", "[core][errc]") {
  std::set<std::string_view> names;
  int expected = 1;
  for (const ErrcEntry& entry : all_errors()) {
    CHECK(static_cast<int>(entry.code) == expected++);
    CHECK(names.insert(entry.name).second);
    CHECK(entry.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    REQUIRE_FALSE(entry.sentence.empty());
    CHECK(entry.sentence.back() == '.');
    CHECK((entry.http_status == 0 || (entry.http_status >= 400 && entry.http_status < 600)));
    CHECK(&describe(entry.code) == &entry);
    CHECK(errc_from_name(entry.name) == entry.code);
  }
  CHECK(describe(Errc::incompatible_server).name == "incompatible_server");
  CHECK_FALSE(errc_from_name("no_such_code").has_value());
}
