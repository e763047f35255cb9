#include <charconv>
#include <iostream>

#include "fieldsync/commands.h"
#include "fieldsync/field_path.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/text_display.h"

namespace fieldsync::cli {
namespace {

// The conflict of one record that `path` names.
Result<Conflict> find_conflict(Database& database, const core::RecordId& record, const std::string& text) {
  const auto path = parse_field_path(text);
  if (!path) return path.error();
  const auto conflicts = database.conflicts();
  if (!conflicts) return conflicts.error();
  std::vector<Conflict> meant;
  for (const Conflict& conflict : *conflicts) {
    const bool same_item = path->item.empty() ? conflict.item.is_none() : conflict.item.hex().starts_with(path->item);
    if (conflict.record == record && conflict.field_name == path->field && same_item) meant.push_back(conflict);
  }
  if (meant.size() == 1) return meant.front();
  if (!meant.empty()) return Error{Errc::ambiguous, "'" + text + "' fits several items. Give more digits."};
  return Error{Errc::not_found,
               "'" + text + "' of record " + short_id(record) +
                   " is not in conflict. See: fieldsync conflicts. To change a field: fieldsync edit."};
}

Result<core::Value> picked_value(const Conflict& conflict, const std::string& pick) {
  std::size_t number = 0;
  const char* end = pick.data() + pick.size();
  const auto [stop, problem] = std::from_chars(pick.data(), end, number);
  if (problem != std::errc() || stop != end || number == 0 || number > conflict.values.size()) {
    return Error{Errc::invalid_argument, "--pick takes a number from 1 to " + std::to_string(conflict.values.size()) +
                                             ", as listed by: fieldsync conflicts."};
  }
  return conflict.values[number - 1].value;
}

Result<core::Value> typed_value(Database& database, const core::Form& form, const Conflict& conflict,
                                const std::string& text) {
  const core::FormField* field = form.find(conflict.field);
  if (field == nullptr) {
    return Error{Errc::unknown_field, "The form does not know this field; settle it with --pick."};
  }
  return parse_value(*field, text, record_finder(database));
}

Result<void> settle_existence(Database& database, const core::RecordId& record, const std::string& pick) {
  if (pick == "keep") return database.restore_record(record);
  if (pick == "delete") return database.delete_record(record);
  return Error{Errc::invalid_argument, "Settle a deletion with --pick keep or --pick delete."};
}

// `opened` was opened before `conflict` was read, so that it replaces no more
// than what was listed.
Result<void> settle_field(Database& database, OpenedRecord& opened, const Conflict& conflict,
                          const ResolveOptions& options) {
  auto value = options.pick ? picked_value(conflict, *options.pick)
                            : typed_value(database, opened.form, conflict, *options.value);
  if (!value) return value.error();
  if (auto resolved = opened.editor.resolve(conflict.field_name, std::move(*value), conflict.item); !resolved)
    return resolved;
  const auto saved = opened.editor.save();
  if (!saved) return saved.error();
  return {};
}

}  // namespace

Result<void> run_resolve(const Settings& settings, const ResolveOptions& options) {
  if (!options.pick && !options.value) {
    return Error{Errc::invalid_argument, "Say which value it shall be: --pick N or --value V."};
  }
  const auto database = open_store(settings);
  if (!database) return database.error();
  auto opened = open_record(**database, options.record);
  if (!opened) return opened.error();
  const core::RecordId record = opened->editor.id();
  const auto conflict = find_conflict(**database, record, options.field);
  if (!conflict) return conflict.error();
  const auto settled = conflict->field == core::existence_field
                           ? settle_existence(**database, record, options.pick.value_or(""))
                           : settle_field(**database, *opened, *conflict, options);
  if (!settled) return settled;
  if (settings.json) {
    print_json(std::cout, boost::json::object{{"id", record.hex()}, {"field", options.field}, {"resolved", true}});
  } else {
    std::cout << "Settled " << for_terminal(options.field) << " of " << short_id(record)
              << " on this device; the office hears of it with the next sync.\n";
  }
  return {};
}

}  // namespace fieldsync::cli
