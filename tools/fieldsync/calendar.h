// calendar.h: dates and instants as text. The calendar is that of RFC 3339, years
// 0000 to 9999; a time beyond it, from a broken clock, is written as @ and the
// plain count.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"
#include "core/value.h"

namespace fieldsync::cli {

// "2026-11-24". Nothing where there is no such day.
[[nodiscard]] std::optional<core::Date> parse_date(std::string_view text);
[[nodiscard]] std::string date_text(core::Date date);

// "2026-11-24T10:00:00Z", "2026-11-24 16:00 +06:00": seconds and their fraction
// may be left out, the offset may not.
[[nodiscard]] std::optional<core::Instant> parse_instant(std::string_view text);

// For programs: RFC 3339 in UTC, with milliseconds where there are any.
[[nodiscard]] std::string rfc3339(core::Instant instant);
// For people: in the time zone of this computer, in a form that parse_instant reads.
[[nodiscard]] std::string local_time(core::Instant instant);
// The same without seconds and offset, for "by whom and when".
[[nodiscard]] std::string local_minute(core::Instant instant);

}  // namespace fieldsync::cli
