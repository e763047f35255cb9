// table.h: rows and columns that a person can read, on a terminal of any width
// and in any script.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace fieldsync::cli {

class Table {
 public:
  enum class Align { left, right };
  // Half of an id, a time or a number says something wrong.
  enum class Fit { may_be_cut, whole };
  struct Column {
    std::string title;
    Align align = Align::left;
    Fit fit = Fit::may_be_cut;
  };

  explicit Table(std::vector<Column> columns);

  // As many cells as there are columns. Cells are made safe for a terminal here.
  void add_row(std::vector<std::string> cells);
  [[nodiscard]] bool empty() const { return rows_.empty(); }

  // A heading, a rule and the rows, each ending in a line feed. Where they are
  // wider than `columns_max` (0: no limit) the widest columns that may be cut are,
  // none below eight; a narrower terminal wraps.
  [[nodiscard]] std::string render(std::size_t columns_max) const;

 private:
  using Row = std::vector<std::string>;

  [[nodiscard]] std::vector<std::size_t> widths(std::size_t columns_max) const;
  [[nodiscard]] std::string line(const Row& cells, const std::vector<std::size_t>& widths) const;

  Row titles_;
  std::vector<Align> aligns_;
  std::vector<Fit> fits_;
  std::vector<Row> rows_;
};

}  // namespace fieldsync::cli
