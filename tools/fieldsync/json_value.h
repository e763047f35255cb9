// json_value.h: one value as JSON, by the type of its field. Numbers and booleans
// are JSON's own, local text is {"language": "ky", "text": "Ош"}, an emptied field
// is null, and everything else is the string that value_text.h describes (a
// choice by its code, an instant in UTC, a reference by the whole id).
#pragma once

#include <boost/json/value.hpp>

#include "core/form.h"
#include "core/result.h"
#include "core/value.h"
#include "fieldsync/value_text.h"

namespace fieldsync::cli {

[[nodiscard]] boost::json::value value_json(const core::Value& value);

// As parse_value, and also from the JSON types above.
[[nodiscard]] Result<core::Value> parse_json_value(const core::FormField& field, const boost::json::value& json,
                                                   const FindRecord& find_record);

}  // namespace fieldsync::cli
