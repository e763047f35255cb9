// stamper.h: gives an own operation the times that the server gave it, from what
// BatchStamps says of the whole batch.
#pragma once

#include <map>

#include "core/effective_time.h"
#include "fieldsync/v1/sync.pb.h"

namespace fieldsync::storage {

// Of an own operation, until the server has stamped it.
[[nodiscard]] inline core::Stamp provisional(const core::Operation& operation) {
  return {operation.author,
          operation.claimed,
          operation.claimed,
          operation.claimed,
          0,
          operation.origin == core::OperationOrigin::machine};
}

class Stamper {
 public:
  explicit Stamper(const v1::BatchStamps& stamps) : arrival_{{stamps.received_time_ms()}, {stamps.clock_offset_ms()}} {
    for (const v1::EffectiveTime& exception : stamps.exceptions()) {
      exceptions_[exception.counter()] = core::Instant{exception.effective_time_ms()};
    }
  }

  [[nodiscard]] core::Instant effective_time(core::Instant claimed, std::uint64_t counter) const {
    const auto exception = exceptions_.find(counter);
    return exception != exceptions_.end() ? exception->second : core::corrected_time(claimed, arrival_);
  }

  void stamp(core::Stamp& stamp, std::uint64_t counter, std::uint64_t seq) const {
    stamp.effective = effective_time(stamp.claimed, counter);
    stamp.received = arrival_.received;
    stamp.seq = seq;
  }

 private:
  core::Arrival arrival_;
  std::map<std::uint64_t, core::Instant> exceptions_;
};

}  // namespace fieldsync::storage
