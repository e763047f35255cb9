// draft_json.h: fills a new record from a JSON object:
//
//   {"kind": "ivs", "names": [{"language": "ky", "text": "Ош"}, "ru:Ош"],
//    "areas": [{"area": "cell", "note": "No window."}]}
//
// Every key is a field. An array gives several values, or the items of a group;
// null is skipped.
#pragma once

#include <boost/json/object.hpp>

#include "core/form.h"
#include "core/result.h"
#include "fieldsync/record.h"
#include "fieldsync/value_text.h"

namespace fieldsync::cli {

// unknown_field, wrong_value_type and what parse_json_value and the editor say.
[[nodiscard]] Result<void> fill_from_json(RecordEditor& editor, const core::Form& form,
                                          const boost::json::object& object, const FindRecord& find_record);

}  // namespace fieldsync::cli
