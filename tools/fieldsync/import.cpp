#include "fieldsync/import.h"

#include <boost/json/parse.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include "fieldsync/draft_json.h"
#include "fieldsync/lookup.h"

namespace fieldsync::cli {
namespace {

Result<core::RecordId> import_line(Database& database, const ImportTarget& target, const std::string& line) {
  boost::json::error_code problem;
  const auto parsed = boost::json::parse(line, problem);
  if (problem || !parsed.is_object()) {
    return Error{Errc::malformed_request, "The line is not a JSON object such as {\"field\": \"value\"}."};
  }
  auto editor = database.create(target.form.name, target.scope);
  if (!editor) return editor.error();
  auto filled = fill_from_json(*editor, target.form, parsed.get_object(), record_finder(database));
  if (!filled) return filled.error();
  const auto saved = editor->save();
  if (!saved) return saved.error();
  return editor->id();
}

// The standard input keeps its errors to itself and shows its stream an end.
bool failed(const std::istream& lines) { return lines.bad() || (&lines == &std::cin && std::ferror(stdin) != 0); }

bool is_blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

}  // namespace

bool concerns_store(Errc code) {
  return code == Errc::storage_full || code == Errc::storage_failed || code == Errc::storage_corrupt;
}

ImportReport import_lines(Database& database, const ImportTarget& target, std::istream& lines,
                          const std::function<void(const ImportProgress&)>& on_line) {
  ImportReport report;
  ImportProgress progress;
  std::string line;
  std::uint64_t number = 1;
  for (; std::getline(lines, line); ++number) {
    progress.bytes += line.size() + 1;
    if (is_blank(line)) continue;
    const auto created = import_line(database, target, line);
    if (created) {
      report.created.push_back(*created);
    } else {
      report.refused.push_back({number, created.error()});
      if (concerns_store(created.error().code)) break;
    }
    progress.created = report.created.size();
    on_line(progress);
  }
  if (failed(lines))
    report.refused.push_back({number, {Errc::storage_failed, "The file cannot be read from here on."}});
  return report;
}

}  // namespace fieldsync::cli
