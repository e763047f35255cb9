// tcp_state.h: what the kernel knows of a connection that sends. Linux.
#pragma once

#include <cstdint>
#include <optional>

#include "core/time.h"

namespace fieldsync::transport {

struct OnTheWay {
  std::uint64_t bytes = 0;  // handed to the network, and not known to have arrived
  // Of the last five minutes (tcp_min_rtt_wlen): what the connection's own bytes wait for in queues is not in it.
  // 0 where it is not known.
  core::Milliseconds shortest_round_trip{};
};

// Nothing where the connection is broken, or not known.
[[nodiscard]] std::optional<OnTheWay> bytes_on_the_way(int socket);

}  // namespace fieldsync::transport
