// turned_away.h: how many were refused before anybody looked at what they wanted. They are told as a
// sum: a line for each would let anybody fill the log.
//
// Threads  Any.
#pragma once

#include <atomic>
#include <cstddef>

namespace fieldsync::server {

struct TurnedAway {
  std::size_t connections = 0;  // beyond the limits
  std::size_t requests = 0;     // because too many waited

  bool operator==(const TurnedAway&) const = default;
};

class TurnedAwayCount {
 public:
  void connection() { ++connections_; }
  void request() { ++requests_; }
  // Since the last call.
  [[nodiscard]] TurnedAway take() { return {connections_.exchange(0), requests_.exchange(0)}; }

 private:
  std::atomic<std::size_t> connections_ = 0;
  std::atomic<std::size_t> requests_ = 0;
};

}  // namespace fieldsync::server
