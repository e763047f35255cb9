// effective_time.h: the one time that decides which sibling is shown first.
#pragma once

#include <optional>

#include "core/record_state.h"

namespace fieldsync::core {

struct Arrival {
  Instant received;           // the server's clock at commit
  Milliseconds clock_offset;  // what the server's clock was ahead of the device's
};

// The claimed time as the device's clock is known to be off, never after the
// receipt, never before the values that the operation replaces where they still
// stand, nor before the device's own earlier values of the record, and never after an operation that replaced it.
// Pre: `state` is the record before the operation.
// `former`: the time that the operation had before the server was restored; it
// takes the place of the corrected claim.
[[nodiscard]] Instant effective_time(const Operation& operation, const RecordState& state, const Arrival& arrival,
                                     std::optional<Instant> former = std::nullopt);

// The first half of the rule alone: what a device can compute for itself.
[[nodiscard]] Instant corrected_time(Instant claimed, const Arrival& arrival);

}  // namespace fieldsync::core
