#include "app/csv_reader.h"

#include <utility>

namespace fieldsync::server {

Result<std::vector<CsvRow>> read_csv(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<CsvRow> rows;
  CsvRow row;
  std::string cell;
  bool quoted = false;
  bool any = false;
  const auto end_cell = [&] { row.push_back(std::exchange(cell, {})); };
  const auto end_row = [&] {
    end_cell();
    if (any) rows.push_back(std::exchange(row, {}));
    row.clear();
    any = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"') {
        cell += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        cell += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = any = true;
    } else if (c == ',') {
      any = true;
      end_cell();
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      any = true;
      cell += c;
    }
  }
  if (quoted) return Error{Errc::malformed_request, "A quote is opened and never closed."};
  if (any) end_row();
  return rows;
}

}  // namespace fieldsync::server
