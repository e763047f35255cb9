#include "fieldsync/table.h"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "core/check.h"
#include "fieldsync/text_display.h"

namespace fieldsync::cli {
namespace {

constexpr std::string_view gap = "  ";
// The short form of an id stays whole.
constexpr std::size_t column_width_min = 8;

std::size_t width_of_line(const std::vector<std::size_t>& widths) {
  return std::accumulate(widths.begin(), widths.end(), gap.size() * (widths.size() - 1));
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string result;
  while (times-- > 0) result += text;
  return result;
}

}  // namespace

Table::Table(std::vector<Column> columns) {
  FIELDSYNC_CHECK(!columns.empty(), "a table without columns has nothing to say");
  for (Column& column : columns) {
    titles_.push_back(escaped(column.title));
    aligns_.push_back(column.align);
    fits_.push_back(column.fit);
  }
}

void Table::add_row(std::vector<std::string> cells) {
  FIELDSYNC_CHECK(cells.size() == titles_.size(), "every column has its cell");
  for (std::string& cell : cells) cell = escaped(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::render(std::size_t columns_max) const {
  const auto fitted = widths(columns_max);
  Row rule;
  for (const std::size_t width : fitted) rule.push_back(repeated("\u2500", width));
  std::string result = line(titles_, fitted) + line(rule, fitted);
  for (const Row& row : rows_) result += line(row, fitted);
  return result;
}

std::vector<std::size_t> Table::widths(std::size_t columns_max) const {
  std::vector<std::size_t> natural;
  for (const std::string& title : titles_) natural.push_back(display_width(title));
  for (const Row& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) natural[i] = std::max(natural[i], display_width(row[i]));
  }
  if (columns_max == 0) return natural;
  const auto cut_to = [&](std::size_t width_max) {
    std::vector<std::size_t> cut = natural;
    for (std::size_t i = 0; i < cut.size(); ++i) {
      if (fits_[i] == Fit::may_be_cut) cut[i] = std::min(cut[i], width_max);
    }
    return cut;
  };
  std::size_t width_max = std::max(column_width_min, *std::max_element(natural.begin(), natural.end()));
  while (width_max > column_width_min && width_of_line(cut_to(width_max)) > columns_max) --width_max;
  return cut_to(width_max);
}

std::string Table::line(const Row& cells, const std::vector<std::size_t>& widths) const {
  std::string result;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = shortened(cells[i], widths[i]);
    const std::string padding(widths[i] - display_width(cell), ' ');
    const bool last = i + 1 == cells.size();
    if (aligns_[i] == Align::right) result += padding;
    result += isolated(cell);
    if (aligns_[i] == Align::left && !last) result += padding;
    if (!last) result += gap;
  }
  return result + '\n';
}

}  // namespace fieldsync::cli
