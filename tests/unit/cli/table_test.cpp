#include "fieldsync/table.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "fieldsync/text_display.h"

using namespace fieldsync::cli;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("columns line up whatever the script", "[cli][table]") {
  Table table({{"Id"}, {"Name"}, {"Held", Table::Align::right}});
  table.add_row({"1a2b3c4d", "Ош ТКИ", "7"});
  table.add_row({"9f8e7d6c", "看守所", "120"});
  table.add_row({"00112233", "и\u0306", "40"});
  const auto lines = lines_of(table.render(0));
  REQUIRE(lines.size() == 5);
  CHECK(lines[0] == "Id        Name    Held");
  CHECK(lines[1] == "────────  ──────  ────");
  CHECK(lines[2] == "1a2b3c4d  Ош ТКИ     7");
  CHECK(lines[3] == "9f8e7d6c  看守所   120");
  CHECK(lines[4] == "00112233  и\u0306         40");
}

TEST_CASE("a table is cut to the terminal at its widest column", "[cli][table]") {
  Table table({{"Id"}, {"Narrative"}});
  table.add_row({"1a2b3c4d", "Терезелери жок, нымдуу жана суук камера"});
  const auto lines = lines_of(table.render(30));
  CHECK(lines[2] == "1a2b3c4d  Терезелери жок, ным…");
  for (const std::string& line : lines) CHECK(display_width(line) <= 30);
}

TEST_CASE("a column that must be read whole is not cut, the others are cut further", "[cli][table]") {
  Table table({{"Id"}, {"Narrative"}, {"Changed", Table::Align::left, Table::Fit::whole}});
  table.add_row({"1a2b3c4d", "Терезелери жок, нымдуу камера", "2026-11-25 23:01"});
  const auto lines = lines_of(table.render(48));
  CHECK(lines[2] == "1a2b3c4d  Терезелери жок, ным…  2026-11-25 23:01");
  CHECK(display_width(lines[2]) <= 48);
}

TEST_CASE("no column is cut below a short id, however narrow the terminal", "[cli][table]") {
  Table table({{"Id"}, {"Name"}});
  table.add_row({"1a2b3c4d", "0123456789"});
  CHECK(lines_of(table.render(5))[2] == "1a2b3c4d  0123456…");
}

TEST_CASE("what goes into a file is not cut", "[cli][table]") {
  const std::string text(500, 'x');
  Table table({{"Text"}});
  table.add_row({text});
  CHECK(lines_of(table.render(0))[2] == text);
}

TEST_CASE("cells cannot break a table or move the cursor", "[cli][table]") {
  Table table({{"Text"}, {"Next"}});
  table.add_row({"a\nb\tc\x1b[2J", "d"});
  CHECK(lines_of(table.render(0))[2] == "a b c\\x1b[2J  d");
}
