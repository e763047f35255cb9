#include <boost/json/array.hpp>
#include <iostream>

#include "fieldsync/commands.h"
#include "fieldsync/field_path.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/report.h"
#include "fieldsync/text_display.h"

namespace fieldsync::cli {
namespace {

void print_value(std::size_t number, const ShownValue& shown, const core::FormField* field, Wording& wording) {
  const std::string text = wording.value(shown.value, field);
  std::cout << "    " << number << ". " << for_terminal(text.empty() ? "(emptied)" : text) << "   ["
            << for_terminal(wording.source(shown)) << "]\n";
}

void print_deletion(const Conflict& conflict, Wording& wording) {
  for (const ShownValue& shown : conflict.values) {
    if (!std::holds_alternative<core::Deletion>(shown.value)) continue;
    std::cout << "    Deleted by " << for_terminal(wording.source(shown)) << "; others edited it without knowing\n";
  }
}

void print_conflict(const Conflict& conflict, Wording& wording) {
  const core::Form* form = wording.form(conflict.form);
  const core::FormField* field = form == nullptr ? nullptr : form->find(conflict.field);
  const std::string path = path_text(form, conflict.item, conflict.field_name);
  std::cout << "  " << path;
  if (field != nullptr) std::cout << "   " << for_terminal(wording.field_label(*field));
  std::cout << '\n';
  const bool existence = conflict.field == core::existence_field;
  if (existence) print_deletion(conflict, wording);
  std::size_t number = 0;
  for (const ShownValue& shown : conflict.values) {
    if (!existence) print_value(++number, shown, field, wording);
  }
  std::cout << "    fieldsync resolve " << short_id(conflict.record) << ' ' << quoted_path(path) << " --pick "
            << (existence ? "keep|delete" : "NUMBER") << '\n';
}

// Conflicts of one record stand under one heading where they follow each other.
void print_conflicts(const std::vector<Conflict>& conflicts, Wording& wording) {
  core::RecordId record;
  for (const Conflict& conflict : conflicts) {
    if (conflict.record != record) {
      std::cout << short_id(conflict.record) << "  " << for_terminal(wording.form_label(conflict.form)) << ": "
                << for_terminal(wording.title(conflict.record)) << '\n';
    }
    record = conflict.record;
    print_conflict(conflict, wording);
  }
  std::cout << (conflicts.empty() ? std::string("Nothing to settle")
                                  : counted(conflicts.size(), "conflict", "conflicts") + " to settle")
            << ".\n";
}

}  // namespace

Result<void> run_conflicts(const Settings& settings) {
  const auto database = open_store(settings);
  if (!database) return database.error();
  const auto conflicts = (*database)->conflicts();
  if (!conflicts) return conflicts.error();
  Wording wording(**database, settings.language);
  if (!settings.json) {
    print_conflicts(*conflicts, wording);
    return {};
  }
  boost::json::array array;
  for (const Conflict& conflict : *conflicts) array.push_back(conflict_json(conflict, wording));
  print_json(std::cout, array);
  return {};
}

}  // namespace fieldsync::cli
