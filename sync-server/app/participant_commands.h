// participant_commands.h: the office decides who takes part in a record.
#pragma once

#include <string>

#include "app/commands.h"

namespace fieldsync::server {

// `record`: its id in hexadecimal digits. not_found, ambiguous: no such record or person.
// invalid_argument: the person is no member of the record's scope.
[[nodiscard]] Result<void> set_participation(Administration& admin, const std::string& record,
                                             const std::string& person, bool takes_part);
[[nodiscard]] Result<void> list_participants(Administration& admin, const std::string& record, bool as_json);

}  // namespace fieldsync::server
