#include "fieldsync/text_display.h"

#include <catch2/catch.hpp>

using namespace fieldsync::cli;

TEST_CASE("control characters are spelled out and what is not UTF-8 is replaced", "[cli][text]") {
  CHECK(escaped("\x1b]0;title\x07") == "\\x1b]0;title\\x07");
  CHECK(escaped("\u009b2J") == "\\x9b2J");
  CHECK(escaped("one\r\ntwo\u2028three") == "one\\x0d two three");
  CHECK(escaped("a\xFFz") == "a\uFFFDz");
  CHECK(escaped("Ош ңүө ғқҳҷӣӯ") == "Ош ңүө ғқҳҷӣӯ");
}

TEST_CASE("right-to-left text is isolated and other text is left alone", "[cli][text]") {
  CHECK(isolated("Ош, 12") == "Ош, 12");
  CHECK(isolated("زندان") == "\u2068زندان\u2069");
  CHECK(isolated("abc\u202Edef") == "\u2068abc\u202Edef\u2069");
}

TEST_CASE("text cannot end its own isolation or leave one open", "[cli][text]") {
  CHECK(isolated("a\u2069\u202Eb") == "\u2068a\u202Eb\u2069");
  CHECK(isolated("a\u2067b") == "\u2068a\u2067b\u2069\u2069");
  CHECK(isolated("a\u2067b\u2069c") == "\u2068a\u2067b\u2069c\u2069");
}

TEST_CASE("width counts columns, not bytes or characters", "[cli][text]") {
  CHECK(display_width("Ош") == 2);
  CHECK(display_width("и\u0306") == 1);
  CHECK(display_width("看") == 2);
  CHECK(display_width("\u2068a\u2069") == 1);
}

TEST_CASE("shortened text never exceeds its columns and shows that it was cut", "[cli][text]") {
  CHECK(shortened("Камера", 6) == "Камера");
  CHECK(shortened("Камера", 5) == "Каме…");
  CHECK(shortened("看守所", 4) == "看…");
  CHECK(shortened("Камера", 1) == "…");
  CHECK(shortened("Камера", 0).empty());
}
