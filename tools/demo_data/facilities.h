// facilities.h: places of detention, as rows for `fieldsync-server import facility`.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "tables.h"

namespace fieldsync::demo {

// The first row of each names the form's fields; `external_code` is the key.

// The prison register of England and Wales; a prison that was renamed is one row.
[[nodiscard]] std::vector<Row> british_prisons(const std::filesystem::path& data);

// Irish care centres. A centre that reports name but the register does not
// gets a row with what is known of it: its number.
[[nodiscard]] std::vector<Row> irish_centres(const std::filesystem::path& data, const std::set<std::string>& reported);

[[nodiscard]] std::string irish_code(const std::string& centre);

}  // namespace fieldsync::demo
