#include "fieldsync/csv.h"

namespace fieldsync::cli {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view decimal_digits = "0123456789";

// "-12", "-3.5": what this program itself writes for a number below zero.
bool is_negative_number(std::string_view text) {
  if (!text.starts_with('-')) return false;
  const std::string_view whole = text.substr(1, text.find('.') - 1);
  if (whole.empty() || whole.find_first_not_of(decimal_digits) != std::string_view::npos) return false;
  if (whole.size() + 1 == text.size()) return true;
  const std::string_view fraction = text.substr(whole.size() + 2);
  return !fraction.empty() && fraction.find_first_not_of(decimal_digits) == std::string_view::npos;
}

bool looks_like_formula(std::string_view text) {
  if (text.empty() || std::string_view("=+-@\t\r").find(text.front()) == std::string_view::npos) return false;
  return !is_negative_number(text);
}

// The semicolon separates cells where the decimal separator is a comma.
bool needs_quotes(std::string_view text) {
  return text.find_first_of(",;\"\r\n\t") != std::string_view::npos || text.starts_with(' ') || text.ends_with(' ');
}

}  // namespace

CsvWriter::CsvWriter(std::ostream& out) : out_(out) { out_ << byte_order_mark; }

void CsvWriter::row(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) line += ',';
    line += csv_cell(cell);
  }
  out_ << line << "\r\n";
}

std::string csv_cell(std::string_view text) {
  const std::string harmless = (looks_like_formula(text) ? "'" : "") + std::string(text);
  if (!needs_quotes(harmless)) return harmless;
  std::string quoted = "\"";
  for (const char character : harmless) {
    if (character == '"') quoted += '"';
    quoted += character;
  }
  return quoted + '"';
}

}  // namespace fieldsync::cli
