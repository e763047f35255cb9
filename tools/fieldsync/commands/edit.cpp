#include <iostream>

#include "fieldsync/commands.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"

namespace fieldsync::cli {

Result<void> run_edit(const Settings& settings, const EditOptions& options) {
  if (options.edits.empty()) return Error{Errc::invalid_argument, "There is nothing to change; give field=value."};
  const auto database = open_store(settings);
  if (!database) return database.error();
  auto opened = open_record(**database, options.record);
  if (!opened) return opened.error();
  if (auto applied = Draft(opened->editor, opened->form, record_finder(**database)).apply(options.edits); !applied)
    return applied;
  const auto saved = opened->editor.save();
  if (!saved) return saved.error();
  const core::RecordId record = opened->editor.id();
  if (settings.json) {
    print_json(std::cout, boost::json::object{{"id", record.hex()}, {"operation", operation_json(saved->operation)}});
  } else {
    std::cout << "Saved " << short_id(record) << " on this device.\n";
  }
  return {};
}

}  // namespace fieldsync::cli
