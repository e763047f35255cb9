// time.h: instants and durations, in milliseconds. The core never asks for the
// time; it is passed in.
#pragma once

#include <compare>
#include <cstdint>

namespace fieldsync::core {

// Milliseconds since 1970-01-01T00:00:00Z.
struct Instant {
  std::int64_t ms = 0;
  auto operator<=>(const Instant&) const = default;
};

// A signed span, for example what a device's clock is behind the server's.
struct Milliseconds {
  std::int64_t count = 0;
  auto operator<=>(const Milliseconds&) const = default;
};

// Saturates instead of overflowing: a claimed time is any 64-bit number.
[[nodiscard]] constexpr Instant operator+(Instant at, Milliseconds span) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(at.ms, span.count, &sum)) return {sum};
  return {span.count > 0 ? INT64_MAX : INT64_MIN};
}

[[nodiscard]] constexpr Milliseconds operator-(Instant later, Instant earlier) {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(later.ms, earlier.ms, &difference)) return {difference};
  return {later.ms > earlier.ms ? INT64_MAX : INT64_MIN};
}

}  // namespace fieldsync::core
