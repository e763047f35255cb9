#include "transport/pace.h"

namespace fieldsync::transport {

void Pace::observe(core::Milliseconds now, std::uint64_t written, std::uint64_t under_way,
                   core::Milliseconds shortest) {
  // What arrived out of order is told in packets: it may have been taken for a little more than it was.
  const std::uint64_t arrived = std::max(written - std::min(written, under_way), arrived_then_);
  if (!began_) {
    began_ = true;
    since_ = now;
    arrived_then_ = arrived;
    return;
  }
  const std::int64_t span = now.count - since_.count;
  // Acknowledgements come a round trip apart where little is under way.
  if (span < std::max(measured_over_ms, 2 * shortest.count)) return;
  // More than one, so that the measured rate can grow.
  const auto aimed_ms = static_cast<std::uint64_t>(shortest.count + shortest.count / 4 + spare_ms);
  const std::uint64_t in_a_round_trip = (arrived - arrived_then_) * aimed_ms / static_cast<std::uint64_t>(span);
  since_ = now;
  arrived_then_ = arrived;
  under_way_max_ = std::max(least, in_a_round_trip);
}

}  // namespace fieldsync::transport
