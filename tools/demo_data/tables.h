// tables.h: the source files as tables whose columns are found by name.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fieldsync::demo {

using Row = std::vector<std::string>;

struct Table {
  Row header;
  std::vector<Row> rows;

  // Throws where there is no such column: the data does not fit this program.
  [[nodiscard]] std::size_t column(std::string_view name) const;
};

// These throw std::runtime_error with a sentence for the user.
[[nodiscard]] Table read_csv_table(const std::filesystem::path& file);
[[nodiscard]] Table read_tsv_table(const std::filesystem::path& file);
[[nodiscard]] std::vector<std::string> read_lines(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, const std::string& content);
[[nodiscard]] std::string to_csv(const std::vector<Row>& rows);

// Only what the forms accept as text, and at most so many characters.
[[nodiscard]] std::string clean_text(std::string_view text, std::size_t characters_max);
[[nodiscard]] std::string join_lines(std::string_view text, char separator);

}  // namespace fieldsync::demo
