// rows.h: what a command lists: a table for people, JSON for scripts.
#pragma once

#include <boost/json/array.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "core/time.h"

namespace fieldsync::server {

using Row = boost::json::array;

// Columns as wide as their widest cell, counted in characters. Yes or no for
// booleans, a dash for null. What somebody wrote cannot act on a terminal, nor begin a line or a column.
void print_table(std::ostream& out, const std::vector<std::string>& header, const std::vector<Row>& rows);

// An array of objects whose members are named as in the header.
void print_json_rows(std::ostream& out, const std::vector<std::string>& header, const std::vector<Row>& rows);

// As strftime writes it, in UTC.
[[nodiscard]] std::string utc_text(core::Instant at, const char* format);
// "2026-11-28 09:30 UTC"
[[nodiscard]] std::string instant_text(core::Instant at);

}  // namespace fieldsync::server
