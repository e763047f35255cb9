#include "fieldsync/progress_bar.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "fieldsync/text_display.h"

using namespace fieldsync::cli;

TEST_CASE("a bar shows the part that is done", "[cli][progress]") {
  CHECK(bar_line(0, 10, "0 of 10", 80) == "[........................]   0 %  0 of 10");
  CHECK(bar_line(5, 10, "5 of 10", 80) == "[############............]  50 %  5 of 10");
  CHECK(bar_line(10, 10, "10 of 10", 80) == "[########################] 100 %  10 of 10");
  CHECK(bar_line(12, 10, "", 80).find("100 %") != std::string::npos);
}

TEST_CASE("without a known total only the text is shown", "[cli][progress]") {
  CHECK(bar_line(5, 0, "5 records", 80) == "5 records");
}

TEST_CASE("a bar never wraps", "[cli][progress]") {
  CHECK(display_width(bar_line(5, 10, "5 of 10 saves sent, 100 records received", 40)) == 40);
}

TEST_CASE("a bar is taken off the terminal at its end, and what is quick says nothing elsewhere", "[cli][progress]") {
  std::ostringstream terminal;
  std::ostringstream file;
  {
    ProgressBar on_terminal(terminal, 80);
    ProgressBar in_file(file, 0);
    on_terminal.show(1, 2, "half");
    in_file.show(1, 2, "half");
  }
  CHECK(terminal.str().ends_with("half\r\x1b[K"));
  CHECK(file.str().empty());
}
