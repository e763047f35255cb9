#include "fieldsync/lookup.h"

#include <vector>

#include "fieldsync/text_compare.h"
#include "fieldsync/unlocking.h"

namespace fieldsync::cli {
namespace {

Error store_unnamed() { return {Errc::invalid_argument, "Say with --store DIR where the store is."}; }

Error sync_first(Errc code, std::string_view what) {
  return {code, std::string(what) + " Bring what the office has with: fieldsync sync."};
}

std::string quoted_list(const std::vector<ScopeInfo>& scopes) {
  std::string list;
  for (const ScopeInfo& scope : scopes) list += (list.empty() ? "'" : ", '") + scope.name + "'";
  return list;
}

bool is_meant(const ScopeInfo& scope, std::string_view text) {
  return same_text(scope.name, text) || scope.id.hex().starts_with(text);
}

Result<std::unique_ptr<Database>> unlocked(const Settings& settings, Result<std::unique_ptr<Database>> database) {
  if (!database) return database;
  if (auto done = unlock_store(settings, **database); !done) return done.error();
  return database;
}

}  // namespace

Result<std::unique_ptr<Database>> open_locked(const Settings& settings, bool accept_missing_journal) {
  if (settings.store.empty()) return store_unnamed();
  auto database = Database::open({.directory = settings.store,
                                  .create = false,
                                  .lock_after = {},
                                  .accept_missing_journal = accept_missing_journal});
  if (!database && database.error().code == Errc::not_found) {
    return Error{Errc::not_found, "There is no store at " + settings.store +
                                      ". Begin with: fieldsync enrol, or name another with --store DIR."};
  }
  return database;
}

Result<std::unique_ptr<Database>> open_store(const Settings& settings) {
  return unlocked(settings, open_locked(settings));
}

Result<std::unique_ptr<Database>> make_store(const Settings& settings) {
  if (settings.store.empty()) return store_unnamed();
  return unlocked(settings, Database::open({.directory = settings.store, .create = true, .lock_after = {}}));
}

Result<core::ScopeId> find_scope(Database& database, std::string_view text) {
  const auto scopes = database.scopes();
  if (!scopes) return scopes.error();
  if (scopes->empty()) return sync_first(Errc::scope_not_found, "This device has no scope yet.");
  std::vector<ScopeInfo> meant;
  for (const ScopeInfo& scope : *scopes) {
    if (text.empty() || is_meant(scope, text)) meant.push_back(scope);
  }
  if (meant.size() == 1) return meant.front().id;
  if (meant.empty()) {
    return Error{Errc::scope_not_found,
                 "There is no scope '" + std::string(text) + "' here, only " + quoted_list(*scopes) + "."};
  }
  return Error{Errc::ambiguous, "Say with --scope which one is meant: " + quoted_list(meant) + "."};
}

Result<core::Form> find_form(Database& database, std::string_view name) {
  auto form = database.form(name);
  if (form || (form.error().code != Errc::unknown_form && form.error().code != Errc::not_found)) return form;
  const auto forms = database.forms();
  if (!forms) return forms.error();
  const std::string missing = "There is no form '" + std::string(name) + "' here";
  if (forms->empty()) return sync_first(Errc::unknown_form, missing + ".");
  std::string names;
  for (const core::Form& known : *forms) names += (names.empty() ? "" : ", ") + known.name;
  return Error{Errc::unknown_form, missing + ", only " + names + "."};
}

Result<core::RecordId> find_record(Database& database, std::string_view prefix) {
  auto record = database.find_by_prefix(prefix);
  if (record) return record;
  const std::string given = " begins with '" + std::string(prefix) + "'.";
  switch (record.error().code) {
    case Errc::not_found: return Error{Errc::not_found, "No record's id" + given};
    case Errc::ambiguous:
      return Error{Errc::ambiguous, "The id of more than one record" + given + " Give more digits."};
    default: return record;
  }
}

FindRecord record_finder(Database& database) {
  return [&database](std::string_view prefix) { return find_record(database, prefix); };
}

Result<OpenedRecord> open_record(Database& database, std::string_view prefix) {
  const auto record = find_record(database, prefix);
  if (!record) return record.error();
  auto editor = database.edit(*record);
  if (!editor) return editor.error();
  auto form = find_form(database, editor->view().form);
  if (!form) return form.error();
  return OpenedRecord{std::move(*editor), std::move(*form)};
}

}  // namespace fieldsync::cli
