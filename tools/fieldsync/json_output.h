// json_output.h: records, conflicts, forms and states as JSON for programs. Ids
// are whole, times are RFC 3339 in UTC, codes are the stable ones.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <ostream>
#include <string>

#include "core/form.h"
#include "fieldsync/database.h"
#include "fieldsync/wording.h"

namespace fieldsync::cli {

[[nodiscard]] boost::json::object form_json(const core::Form& form);
[[nodiscard]] boost::json::object scope_json(const ScopeInfo& scope);
[[nodiscard]] boost::json::object record_json(const RecordView& record, Wording& wording);
[[nodiscard]] boost::json::object conflict_json(const Conflict& conflict, Wording& wording);
[[nodiscard]] boost::json::object identity_json(const Identity& identity);
[[nodiscard]] boost::json::object status_json(const Status& status);
[[nodiscard]] boost::json::object refused_json(const RefusedOperation& operation);
[[nodiscard]] boost::json::object report_json(const SyncReport& report);
[[nodiscard]] boost::json::object operation_json(const core::OperationId& operation);

// All 64 bits in 16 digits: a JSON number would lose some in most programs.
[[nodiscard]] std::string digest_hex(std::uint64_t digest);

// One line.
void print_json(std::ostream& out, const boost::json::value& value);

}  // namespace fieldsync::cli
