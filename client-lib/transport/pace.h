// pace.h: how much of a long body may be under way at once. What the network has taken and the
// other side has not acknowledged is lost with a connection that breaks: so no more than what the
// link carries in a round trip, and a little, instead of all that its queues would take.
//
// The link's rate is measured as the bytes go, the kernel knows the shortest round trip (as BBR does: Cardwell
// et al., "BBR: Congestion-Based Congestion Control", ACM Queue 2016); TCP stays what it is.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/time.h"

namespace fieldsync::transport {

class Pace {
 public:
  // `written`: bytes handed to the network so far; `under_way`: those of them that are not
  // known to have arrived; `shortest`: the shortest round trip of late, 0 where it is not known. Not the last one,
  // which is longer the more is under way.
  void observe(core::Milliseconds now, std::uint64_t written, std::uint64_t under_way, core::Milliseconds shortest);
  [[nodiscard]] std::uint64_t under_way_max() const { return under_way_max_; }

 private:
  static constexpr std::uint64_t least = 8 * 1024;
  static constexpr std::int64_t spare_ms = 200;
  static constexpr std::int64_t measured_over_ms = 250;

  bool began_ = false;
  core::Milliseconds since_{};
  std::uint64_t arrived_then_ = 0;
  std::uint64_t under_way_max_ = least;
};

}  // namespace fieldsync::transport
