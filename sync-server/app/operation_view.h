// operation_view.h: an operation as a person at the office reads it, and as JSON. Nothing that
// somebody wrote can act on a terminal.
#pragma once

#include <boost/json/object.hpp>
#include <ostream>
#include <string>
#include <string_view>

#include "core/form.h"
#include "core/operation.h"

namespace fieldsync::server {

// `text` with what a terminal obeys, and what is no UTF-8, as \xNN; line feeds too.
[[nodiscard]] std::string for_terminal(std::string_view text);

// The same where it is no text, and else `text`: JSON holds text only.
[[nodiscard]] boost::json::string json_text(std::string_view text);

// `form`: none where the office does not have it; then fields are called by their numbers.
[[nodiscard]] boost::json::object operation_json(const core::Operation& operation, const core::Form* form);
// One line for each field that it writes.
void print_writes(std::ostream& out, const core::Operation& operation, const core::Form* form);

}  // namespace fieldsync::server
