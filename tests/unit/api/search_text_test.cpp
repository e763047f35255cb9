// Text made comparable, letter by letter, is what utf8proc makes of it as a whole.
#include "api/search_text.h"

#include <utf8proc.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

using namespace fieldsync;

namespace {

std::string folded_whole(const std::string& text) {
  utf8proc_uint8_t* made = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &made, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD));
  const std::string folded = size < 0 ? text : std::string(reinterpret_cast<char*>(made), static_cast<size_t>(size));
  std::free(made);
  return folded;
}

void append(std::string& text, std::uint32_t letter) {
  std::array<utf8proc_uint8_t, 4> encoded{};
  const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(letter), encoded.data());
  text.append(reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size));
}

}  // namespace

TEST_CASE("Every letter is folded as utf8proc folds it, alone and between others") {
  for (std::uint32_t letter = 1; letter < 0x3000; ++letter) {
    std::string alone;
    append(alone, letter);
    INFO("U+" << std::hex << letter);
    REQUIRE(api::fold(alone) == folded_whole(alone));
    for (const std::string& between : {"Жа" + alone + "Я", "e" + alone + "\u0301", alone + alone, "\u1100" + alone})
      REQUIRE(api::fold(between) == folded_whole(between));
  }
}

TEST_CASE("Any text is folded as utf8proc folds it, also one that is not UTF-8") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 100'000; ++round) {
    std::string text;
    const std::uint32_t end = round % 2 == 0 ? 0x530 : 0x600;
    for (std::uint64_t left = random() % 12; left > 0; --left)
      append(text, 1 + static_cast<std::uint32_t>(random() % end));
    if (round % 5 == 0 && !text.empty()) text[random() % text.size()] = static_cast<char>(random());
    INFO(text);
    REQUIRE(api::fold(text) == folded_whole(text));
  }
}
