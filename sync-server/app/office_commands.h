// office_commands.h: what administrators do with scopes, people, devices, forms and the database as a whole.
#pragma once

#include <string>

#include "app/commands.h"

namespace fieldsync::server {

// Everything that the options of all commands fill.
struct CommandOptions {
  std::string name, role = "monitor", mode = "scope", person, scope, record, device, file, form, key;
  bool as_json = false;
};

// Each prints what it did or found. Errors: not_found and ambiguous where what is named is not there, or not alone;
// what the services refuse.
[[nodiscard]] Result<void> add_scope(Administration& admin, const CommandOptions& options);
[[nodiscard]] Result<void> list_scopes(Administration& admin, const CommandOptions& options);
[[nodiscard]] Result<void> add_person(Administration& admin, const CommandOptions& options);
[[nodiscard]] Result<void> list_people(Administration& admin, const CommandOptions& options);
[[nodiscard]] Result<void> set_membership(Administration& admin, const CommandOptions& options, bool joins);
[[nodiscard]] Result<void> list_devices(Administration& admin, const CommandOptions& options);
[[nodiscard]] Result<void> revoke_device(Administration& admin, const CommandOptions& options);
[[nodiscard]] Result<void> import_form(Administration& admin, const CommandOptions& options);
[[nodiscard]] Result<void> list_forms(Administration& admin, const CommandOptions& options);
[[nodiscard]] Result<void> import_file(Administration& admin, const CommandOptions& options);
[[nodiscard]] Result<void> show_status(Administration& admin, const CommandOptions& options);
[[nodiscard]] Result<void> check(Administration& admin, const CommandOptions& options);
[[nodiscard]] Result<void> list_errors(Administration& admin, const CommandOptions& options);

}  // namespace fieldsync::server
