// lookup.h: finds what somebody named on the command line, and says what to do
// where it is not there.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/form.h"
#include "core/id.h"
#include "core/result.h"
#include "fieldsync/database.h"
#include "fieldsync/settings.h"
#include "fieldsync/value_text.h"

namespace fieldsync::cli {

// not_found where there is no store yet; what Database::open says.
[[nodiscard]] Result<std::unique_ptr<Database>> open_store(const Settings& settings);
// The same, still locked.
[[nodiscard]] Result<std::unique_ptr<Database>> open_locked(const Settings& settings,
                                                            bool accept_missing_journal = false);
// The same, but makes a new store where there is none.
[[nodiscard]] Result<std::unique_ptr<Database>> make_store(const Settings& settings);

// By id, its first digits, or name without regard to case. Without `text` the
// only scope there is. scope_not_found, ambiguous.
[[nodiscard]] Result<core::ScopeId> find_scope(Database& database, std::string_view text);

// unknown_form names the forms there are.
[[nodiscard]] Result<core::Form> find_form(Database& database, std::string_view name);

// By the first digits of its id. not_found, ambiguous.
[[nodiscard]] Result<core::RecordId> find_record(Database& database, std::string_view prefix);
// The same as a function; it must not outlive the database.
[[nodiscard]] FindRecord record_finder(Database& database);

// A record that is there, as it was when it was opened. Must not outlive the database.
struct OpenedRecord {
  RecordEditor editor;
  core::Form form;
};
// As find_record finds it. unknown_form where this device does not have its form.
[[nodiscard]] Result<OpenedRecord> open_record(Database& database, std::string_view prefix);

}  // namespace fieldsync::cli
