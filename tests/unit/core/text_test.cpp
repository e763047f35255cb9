#include "core/text.h"

#include <catch2/catch.hpp>
#include <string>

using namespace fieldsync::core;

namespace {

// UTF-8 by the book, surrogates and too great numbers included.
std::string encoded(std::uint32_t point) {
  const auto byte = [](std::uint32_t bits) { return static_cast<char>(bits); };
  const auto tail = [&](unsigned shift) { return byte(0x80 | ((point >> shift) & 0x3F)); };
  if (point < 0x80) return {byte(point)};
  if (point < 0x800) return {byte(0xC0 | (point >> 6)), tail(0)};
  if (point < 0x10000) return {byte(0xE0 | (point >> 12)), tail(6), tail(0)};
  return {byte(0xF0 | (point >> 18)), tail(12), tail(6), tail(0)};
}

bool is_control(std::uint32_t point) {
  return (point < 0x20 && point != '\t' && point != '\n') || (point >= 0x7F && point <= 0x9F);
}

}  // namespace

TEST_CASE("characters are counted, not bytes", "[core][text]") {
  CHECK(count_characters("") == 0);
  CHECK(count_characters("Osh") == 3);
  CHECK(count_characters("Ош") == 2);
  CHECK(count_characters("a\tb\nc") == 5);
  CHECK(count_characters("€") == 1);
  CHECK(count_characters("𐍈") == 1);
  CHECK(count_characters("e\xCC\x81") == 2);     // a letter and its accent
  CHECK(count_characters("\xE2\x80\xAE") == 1);  // right-to-left override
  CHECK(count_characters("\xEF\xBB\xBF") == 1);  // byte order mark
  CHECK(count_characters(std::string(65536, 'a')) == 65536);
}

TEST_CASE("every code point but surrogates and controls is one character", "[core][text]") {
  for (std::uint32_t point = 0; point < 0x110000; ++point) {
    const bool is_text = !is_control(point) && (point < 0xD800 || point > 0xDFFF);
    if ((count_characters(encoded(point)) == 1) == is_text) continue;
    FAIL("U+" << std::hex << point);
  }
}

TEST_CASE("bytes that are not UTF-8 are not text", "[core][text]") {
  const char* const invalid[] = {
      "\x80",
      "\xBF",  // a continuation alone
      "\xC3",
      "\xE2\x82",
      "\xF0\x9F\x98",  // cut short
      "\xC3(",
      "\xE2(\x82",
      "\xE2\x82(",  // a continuation missing
      "\xF0\x9F\x98(",
      "\xC3\xC3\xA9",  //
      "\xC0\x80",
      "\xC0\xAF",
      "\xC1\xBF",  // overlong, two bytes
      "\xE0\x80\x80",
      "\xE0\x9F\xBF",  // overlong, three bytes
      "\xF0\x80\x80\x80",
      "\xF0\x8F\xBF\xBF",  // overlong, four bytes
      "\xED\xA0\x80",
      "\xED\xBF\xBF",              // surrogates
      "\xED\xA0\xBD\xED\xB8\x80",  // a pair of them
      "\xF4\x90\x80\x80",
      "\xF5\x80\x80\x80",  // beyond U+10FFFF
      "\xF8\x88\x80\x80\x80",
      "\xFC\x84\x80\x80\x80\x80",
      "\xFE",
      "\xFF",
  };
  for (const std::string bytes : invalid) {
    CAPTURE(bytes);
    CHECK_FALSE(count_characters(bytes).has_value());
    CHECK_FALSE(count_characters("before " + bytes).has_value());
    CHECK_FALSE(count_characters(bytes + " after").has_value());
  }
}

TEST_CASE("NUL and control characters are not text", "[core][text]") {
  CHECK_FALSE(count_characters(std::string_view("\0", 1)).has_value());
  CHECK_FALSE(count_characters(std::string_view("a\0b", 3)).has_value());
  for (const char* control : {"\x01", "\r", "\x1B[31m", "\x1F", "\x7F", "\xC2\x80", "\xC2\x85", "\xC2\x9F"}) {
    CHECK_FALSE(count_characters(control).has_value());
  }
  CHECK(count_characters("\xC2\xA0") == 1);
}

TEST_CASE("what follows the view's end is not read", "[core][text]") {
  const std::string text = "é";
  CHECK_FALSE(count_characters(std::string_view(text).substr(0, 1)).has_value());
}
