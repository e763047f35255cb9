#include "app/rows.h"

#include <algorithm>
#include <boost/json.hpp>
#include <ctime>

#include "app/operation_view.h"

namespace fieldsync::server {
namespace {

std::string text_of(const boost::json::value& cell) {
  if (cell.is_null()) return "-";
  if (const bool* flag = cell.if_bool()) return *flag ? "yes" : "no";
  if (const auto* text = cell.if_string()) return for_terminal(*text);
  return boost::json::serialize(cell);
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

void print_table(std::ostream& out, const std::vector<std::string>& header, const std::vector<Row>& rows) {
  std::vector<std::vector<std::string>> lines{header};
  for (const Row& row : rows) {
    lines.emplace_back();
    for (const auto& cell : row) lines.back().push_back(text_of(cell));
  }
  std::vector<std::size_t> widths(header.size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], characters(line[i]));
  }
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      out << line[i];
      if (i + 1 < line.size()) out << std::string(widths[i] - characters(line[i]) + 2, ' ');
    }
    out << '\n';
  }
}

void print_json_rows(std::ostream& out, const std::vector<std::string>& header, const std::vector<Row>& rows) {
  boost::json::array list;
  for (const Row& row : rows) {
    boost::json::object object;
    for (std::size_t i = 0; i < header.size(); ++i) object[header[i]] = row[i];
    list.push_back(std::move(object));
  }
  out << boost::json::serialize(list) << '\n';
}

std::string utc_text(core::Instant at, const char* format) {
  const std::time_t seconds = at.ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[32];
  std::strftime(text, sizeof text, format, &utc);
  return text;
}

std::string instant_text(core::Instant at) { return utc_text(at, "%Y-%m-%d %H:%M UTC"); }

}  // namespace fieldsync::server
