// csv.h: comma-separated values after RFC 4180, for people who open them in a
// spreadsheet: UTF-8 with a byte-order mark, lines ending in CR LF.
//
// A cell is never taken for a formula: one that begins with = + - @, a tab or a
// carriage return gets an apostrophe in front. Plain numbers below zero do not.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace fieldsync::cli {

class CsvWriter {
 public:
  // Writes the byte-order mark. `out` must outlive the writer; its state tells
  // whether everything was written.
  explicit CsvWriter(std::ostream& out);

  void row(const std::vector<std::string>& cells);

 private:
  std::ostream& out_;
};

// One cell, made harmless and quoted where it must be.
[[nodiscard]] std::string csv_cell(std::string_view text);

}  // namespace fieldsync::cli
