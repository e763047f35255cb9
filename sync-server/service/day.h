// day.h: the days (UTC) for which what a device may do is counted.
#pragma once

#include <cstdint>

#include "core/time.h"

namespace fieldsync::server {

inline constexpr std::int64_t ms_per_day = 24 * 3600 * 1000LL;

[[nodiscard]] inline std::int64_t day_of(core::Instant at) { return at.ms / ms_per_day; }
// For `Retry-After`, rounded up.
[[nodiscard]] inline std::int64_t seconds_to_next_day(core::Instant at) {
  return ((day_of(at) + 1) * ms_per_day - at.ms + 999) / 1000;
}

}  // namespace fieldsync::server
