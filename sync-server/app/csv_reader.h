// csv_reader.h: comma-separated values (RFC 4180): quoted fields, doubled quotes,
// line breaks inside quotes, CRLF or LF, an optional byte-order mark.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace fieldsync::server {

using CsvRow = std::vector<std::string>;

// malformed_request: a quote that is not closed.
[[nodiscard]] Result<std::vector<CsvRow>> read_csv(std::string_view text);

}  // namespace fieldsync::server
