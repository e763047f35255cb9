#include "tables.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "app/csv_reader.h"
#include "core/text.h"

namespace fieldsync::demo {
namespace {

std::string read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(stream), {}};
  if (!stream) throw std::runtime_error("Cannot read " + file.string());
  return content;
}

Row split_tabs(const std::string& line) {
  Row cells;
  std::size_t begin = 0;
  for (std::size_t tab = line.find('\t'); tab != std::string::npos; tab = line.find('\t', begin)) {
    cells.push_back(line.substr(begin, tab - begin));
    begin = tab + 1;
  }
  cells.push_back(line.substr(begin));
  return cells;
}

Table make_table(std::vector<Row> rows, const std::filesystem::path& file) {
  if (rows.empty()) throw std::runtime_error(file.string() + " is empty.");
  Table table;
  table.header = std::move(rows.front());
  table.rows.assign(std::make_move_iterator(rows.begin() + 1), std::make_move_iterator(rows.end()));
  for (Row& row : table.rows) row.resize(table.header.size());
  return table;
}

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

}  // namespace

std::size_t Table::column(std::string_view name) const {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) throw std::runtime_error("The data has no column '" + std::string(name) + "'.");
  return static_cast<std::size_t>(found - header.begin());
}

Table read_csv_table(const std::filesystem::path& file) {
  auto rows = server::read_csv(read_file(file));
  if (!rows) throw std::runtime_error(file.string() + ": " + rows.error().message());
  return make_table(std::move(*rows), file);
}

Table read_tsv_table(const std::filesystem::path& file) {
  std::vector<Row> rows;
  for (const std::string& line : read_lines(file)) rows.push_back(split_tabs(line));
  return make_table(std::move(rows), file);
}

std::vector<std::string> read_lines(const std::filesystem::path& file) {
  const std::string content = read_file(file);
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin < content.size()) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    std::string line = content.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
    begin = end + 1;
  }
  return lines;
}

void write_file(const std::filesystem::path& file, const std::string& content) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << content;
  stream.close();
  if (!stream) throw std::runtime_error("Cannot write " + file.string());
}

std::string to_csv(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += i == 0 ? "\"" : ",\"";
      for (const char c : row[i]) text.append(c == '"' ? 2 : 1, c);
      text += '"';
    }
    text += '\n';
  }
  return text;
}

std::string clean_text(std::string_view text, std::size_t characters_max) {
  std::string clean;
  std::size_t characters = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool control = (byte < 0x20 && c != '\t' && c != '\n') || byte == 0x7F;
    if (!is_continuation(c) && ++characters > characters_max) break;
    clean += control ? ' ' : c;
  }
  const std::size_t begin = clean.find_first_not_of(" \t\n");
  if (begin == std::string::npos) return "";
  clean = clean.substr(begin, clean.find_last_not_of(" \t\n") - begin + 1);
  if (!core::count_characters(clean))
    throw std::runtime_error("The data holds something that is not text: " + clean.substr(0, 60));
  return clean;
}

std::string join_lines(std::string_view text, char separator) {
  std::string joined;
  for (const char c : text) {
    if (c == separator) {
      joined += ", ";
    } else {
      joined += c;
    }
  }
  return joined;
}

}  // namespace fieldsync::demo
