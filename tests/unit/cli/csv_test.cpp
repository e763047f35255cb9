#include "fieldsync/csv.h"

#include <catch2/catch.hpp>
#include <sstream>

using namespace fieldsync::cli;

TEST_CASE("a CSV file begins with a byte-order mark and its lines end in CR LF", "[cli][csv]") {
  std::ostringstream out;
  CsvWriter csv(out);
  csv.row({"Аты", "Жайы"});
  csv.row({"Ош ТКИ", ""});
  CHECK(out.str() == "\xEF\xBB\xBF\u0410\u0442\u044B,\u0416\u0430\u0439\u044B\r\n\u041E\u0448 \u0422\u041A\u0418,\r\n");
}

TEST_CASE("a cell is quoted where it holds a separator, a quote, a line end or outer spaces", "[cli][csv]") {
  CHECK(csv_cell("plain text") == "plain text");
  CHECK(csv_cell("a,b") == "\"a,b\"");
  CHECK(csv_cell("a; b") == "\"a; b\"");
  CHECK(csv_cell("the \"hole\"") == "\"the \"\"hole\"\"\"");
  CHECK(csv_cell("two\nlines") == "\"two\nlines\"");
  CHECK(csv_cell("two\r\nlines") == "\"two\r\nlines\"");
  CHECK(csv_cell(" x") == "\" x\"");
  CHECK(csv_cell("x ") == "\"x \"");
  CHECK(csv_cell("").empty());
}

TEST_CASE("a cell is never a formula", "[cli][csv]") {
  CHECK(csv_cell("=1+1") == "'=1+1");
  CHECK(csv_cell("=HYPERLINK(\"http://x\",\"y\")") == "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
  CHECK(csv_cell("+996 555 123456") == "'+996 555 123456");
  CHECK(csv_cell("@SUM(A1)") == "'@SUM(A1)");
  CHECK(csv_cell("-2+3") == "'-2+3");
  CHECK(csv_cell("-") == "'-");
  CHECK(csv_cell("- first talk") == "'- first talk");
  CHECK(csv_cell("\t=1") == "\"'\t=1\"");
  CHECK(csv_cell("\r=1") == "\"'\r=1\"");
}

TEST_CASE("a plain number below zero stays a number", "[cli][csv]") {
  CHECK(csv_cell("-5") == "-5");
  CHECK(csv_cell("-3.25") == "-3.25");
  CHECK(csv_cell("-3.") == "'-3.");
  CHECK(csv_cell("-.5") == "'-.5");
  CHECK(csv_cell("-1.2.3") == "'-1.2.3");
}
