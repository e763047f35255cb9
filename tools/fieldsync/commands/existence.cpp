#include <iostream>
#include <string_view>

#include "fieldsync/commands.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"

namespace fieldsync::cli {
namespace {

struct Change {
  Result<void> (Database::*call)(const core::RecordId&);
  bool deletes;
  std::string_view done;  // what the person reads
};

Result<void> run_change(const Settings& settings, const std::string& prefix, const Change& change) {
  const auto database = open_store(settings);
  if (!database) return database.error();
  const auto record = find_record(**database, prefix);
  if (!record) return record.error();
  if (auto changed = (**database.*change.call)(*record); !changed) return changed;
  if (settings.json) {
    print_json(std::cout, boost::json::object{{"id", record->hex()}, {"deleted", change.deletes}});
  } else {
    std::cout << change.done << ' ' << short_id(*record)
              << " on this device; the office hears of it with the next sync.\n";
  }
  return {};
}

}  // namespace

Result<void> run_delete(const Settings& settings, const std::string& record) {
  return run_change(settings, record, {&Database::delete_record, true, "Deleted"});
}

Result<void> run_restore(const Settings& settings, const std::string& record) {
  return run_change(settings, record, {&Database::restore_record, false, "Restored"});
}

}  // namespace fieldsync::cli
