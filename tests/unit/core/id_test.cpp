#include "core/id.h"

#include <catch2/catch.hpp>

#include "support/core_builders.h"

using namespace fieldsync::core;
using namespace fieldsync::testing;

TEST_CASE("bytes become lower-case hexadecimal digits and come back", "[core][id]") {
  CHECK(to_hex("") == "");
  CHECK(to_hex(std::string_view("\x00\x0F\xA5\xFF", 4)) == "000fa5ff");
  CHECK(from_hex("000fa5ff") == std::string("\x00\x0F\xA5\xFF", 4));
  CHECK(from_hex("000FA5ff") == std::string("\x00\x0F\xA5\xFF", 4));
  CHECK(from_hex("") == "");
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every += static_cast<char>(byte);
  CHECK(from_hex(to_hex(every)) == every);
}

TEST_CASE("what is not an even number of hexadecimal digits is refused", "[core][id]") {
  for (const char* bad : {"0", "abc", "0g", "g0", "0x", " 0", "0 ", "/0", ":0", "@0", "`0", "-1"}) {
    CAPTURE(bad);
    CHECK_FALSE(from_hex(bad).has_value());
  }
  CHECK_FALSE(from_hex(std::string_view("\0\0", 2)).has_value());
}

TEST_CASE("an id is exactly 16 bytes", "[core][id]") {
  const std::string raw = "0123456789abcdef";
  REQUIRE(RecordId::from_bytes(raw).has_value());
  CHECK(RecordId::from_bytes(raw)->view() == raw);
  CHECK_FALSE(RecordId::from_bytes(raw.substr(1)).has_value());
  CHECK_FALSE(RecordId::from_bytes(raw + "0").has_value());
  CHECK_FALSE(RecordId::from_bytes("").has_value());
}

TEST_CASE("an id is read from 32 hexadecimal digits and no other text", "[core][id]") {
  const std::string digits = "11000000000000000000000000000007";
  CHECK(RecordId::parse_hex(digits) == record(7));
  CHECK(record(7).hex() == digits);
  CHECK_FALSE(RecordId::parse_hex(digits.substr(2)).has_value());
  CHECK_FALSE(RecordId::parse_hex(digits + "00").has_value());
  CHECK_FALSE(RecordId::parse_hex("g" + digits.substr(1)).has_value());
}

TEST_CASE("only the id of zeros is none", "[core][id]") {
  CHECK(RecordId{}.is_none());
  CHECK_FALSE(record(1).is_none());
  RecordId last_bit;
  last_bit.bytes.back() = 1;
  CHECK_FALSE(last_bit.is_none());
}

TEST_CASE("ids are ordered as their bytes, unsigned", "[core][id]") {
  RecordId high;
  high.bytes.front() = 0xFF;
  CHECK(record(1) < record(2));
  CHECK(record(255) < high);
}

TEST_CASE("operations are ordered by device, then counter; values then by place", "[core][id]") {
  CHECK(op_id(1, 9) < op_id(2, 1));
  CHECK(op_id(1, 9) < op_id(1, 10));
  CHECK(value_id(1, 1, 9) < value_id(1, 2, 0));
  CHECK(value_id(1, 1, 0) < value_id(1, 1, 1));
  CHECK(key(9) < key(1, 1));
  CHECK(key(1, 1) < key(1, 2));
}
