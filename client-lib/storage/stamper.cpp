#include "storage/stamper.h"

namespace fieldsync::storage {

core::Stamp provisional(const core::Operation& operation) {
  return {operation.author,
          operation.claimed,
          operation.claimed,
          operation.claimed,
          0,
          operation.origin == core::OperationOrigin::machine};
}

Stamper::Stamper(const v1::BatchStamps& stamps) : arrival_{{stamps.received_time_ms()}, {stamps.clock_offset_ms()}} {
  for (const v1::EffectiveTime& exception : stamps.exceptions()) {
    exceptions_[exception.counter()] = core::Instant{exception.effective_time_ms()};
  }
}

core::Instant Stamper::effective_time(core::Instant claimed, std::uint64_t counter) const {
  const auto exception = exceptions_.find(counter);
  return exception != exceptions_.end() ? exception->second : core::corrected_time(claimed, arrival_);
}

void Stamper::stamp(core::Stamp& stamp, std::uint64_t counter, std::uint64_t seq) const {
  stamp.effective = effective_time(stamp.claimed, counter);
  stamp.received = arrival_.received;
  stamp.seq = seq;
}

}  // namespace fieldsync::storage
