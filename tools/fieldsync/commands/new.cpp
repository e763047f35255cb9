#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "fieldsync/commands.h"
#include "fieldsync/import.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/progress_bar.h"
#include "fieldsync/report.h"
#include "fieldsync/terminal.h"
#include "fieldsync/text_display.h"

namespace fieldsync::cli {
namespace {

Result<void> create_one(const Settings& settings, Database& database, const ImportTarget& target,
                        const std::vector<std::string>& set) {
  auto editor = database.create(target.form.name, target.scope);
  if (!editor) return editor.error();
  Draft draft(*editor, target.form, record_finder(database));
  EditTexts texts;
  texts.set = set;
  if (auto applied = draft.apply(texts); !applied) return applied;
  const auto saved = editor->save();
  if (!saved) return saved.error();
  if (settings.json) {
    print_json(std::cout, boost::json::object{{"id", editor->id().hex()}});
  } else {
    std::cout << short_id(editor->id()) << '\n';
  }
  return {};
}

boost::json::object import_json(const ImportReport& report) {
  boost::json::array ids;
  for (const core::RecordId& id : report.created) ids.push_back(boost::json::string(id.hex()));
  boost::json::array refused;
  for (const RefusedLine& line : report.refused) {
    refused.push_back(boost::json::object{
        {"line", line.number}, {"code", describe(line.error.code).name}, {"message", line.error.message()}});
  }
  return {{"count", report.created.size()}, {"ids", std::move(ids)}, {"refused", std::move(refused)}};
}

void print_import(const ImportReport& report) {
  for (const RefusedLine& line : report.refused) {
    std::cerr << "line " << line.number << ": " << for_terminal(line.error.message()) << " ["
              << describe(line.error.code).name << "]\n";
  }
  std::cout << counted(report.created.size(), "record", "records") << " saved on this device.\n";
}

// 0 where it is not known, as for a pipe.
std::uint64_t size_of(const std::string& file) {
  std::error_code problem;
  const auto size = std::filesystem::file_size(file, problem);
  return problem ? 0 : size;
}

Error cannot_read(const std::string& file) {
  std::error_code unknown;
  const bool missing = !std::filesystem::exists(file, unknown) && !unknown;
  return {missing ? Errc::not_found : Errc::storage_failed, "The file " + file + " cannot be read."};
}

Result<void> create_from(const Settings& settings, Database& database, const ImportTarget& target,
                         const std::string& from) {
  std::ifstream file;
  if (from != "-") file.open(from, std::ios::binary);
  if (from != "-" && !file) return cannot_read(from);
  ImportReport report;
  {
    ProgressBar bar(std::cerr, terminal_columns(STDERR_FILENO));
    const std::uint64_t size = from == "-" ? 0 : size_of(from);
    const auto on_line = [&](const ImportProgress& progress) {
      if (settings.json) return;
      bar.show(progress.bytes, size, counted(progress.created, "record", "records") + " saved");
    };
    report = import_lines(database, target, from == "-" ? std::cin : file, on_line);
  }
  if (settings.json) {
    print_json(std::cout, import_json(report));
  } else {
    print_import(report);
  }
  if (report.refused.empty()) return {};
  const RefusedLine& last = report.refused.back();
  if (concerns_store(last.error.code)) {
    return Error{last.error.code, "The import ended at line " + std::to_string(last.number) +
                                      ". Nothing from there on was saved: import that part again."};
  }
  const Errc code = report.refused.front().error.code;
  return Error{code == Errc::invalid_argument ? Errc::malformed_request : code,
               counted(report.refused.size(), "line was", "lines were") +
                   " refused and not saved. The others are; import only the corrected lines again."};
}

}  // namespace

Result<void> run_new(const Settings& settings, const NewOptions& options) {
  const auto database = open_store(settings);
  if (!database) return database.error();
  const auto scope = find_scope(**database, options.scope);
  if (!scope) return scope.error();
  const auto form = find_form(**database, options.form);
  if (!form) return form.error();
  const ImportTarget target{*form, *scope};
  if (!options.from.empty()) return create_from(settings, **database, target, options.from);
  if (options.set.empty()) {
    return Error{Errc::invalid_argument, "A new record needs at least one field=value, or --from FILE."};
  }
  return create_one(settings, **database, target, options.set);
}

}  // namespace fieldsync::cli
