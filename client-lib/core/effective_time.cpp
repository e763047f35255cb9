#include "core/effective_time.h"

#include <algorithm>

namespace fieldsync::core {

Instant corrected_time(Instant claimed, const Arrival& arrival) {
  return std::min(claimed + arrival.clock_offset, arrival.received);
}

Instant effective_time(const Operation& operation, const RecordState& state, const Arrival& arrival,
                       std::optional<Instant> former) {
  Instant time = former ? std::min(*former, arrival.received) : corrected_time(operation.claimed, arrival);
  if (state.stamps.empty() && state.awaited.empty()) return time;
  for (const StampedOperation& live : state.stamps) {
    if (live.id.device == operation.id.device) time = std::max(time, live.stamp.effective);
  }
  for (const FieldWrite& write : operation.writes) {
    for (const ValueId& replaced : write.replaces) {
      const Stamp* stamp = state.find_stamp(replaced.operation);
      if (stamp != nullptr) time = std::max(time, stamp->effective);
    }
  }
  for (const Awaited& awaited : state.awaited) {
    if (awaited.value.operation == operation.id) time = std::min(time, awaited.not_after);
  }
  return time;
}

}  // namespace fieldsync::core
