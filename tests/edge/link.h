// link.h: a slow mobile link between two network namespaces of this machine, in user space:
// both ends are TUN devices, and what one sends arrives at the other late, at a rate, through
// a queue that drops what does not fit, and with losses. For machines whose kernel has no netem.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace fieldsync::edge {

// EDGE as measured where it is slow.
struct LinkSettings {
  std::chrono::milliseconds round_trip{300};
  double bits_per_second = 100'000;
  std::size_t queue_bytes = 16 * 1024;
  double loss = 0;  // of packets, from 0 to 1
  std::uint64_t seed = 1;
};

inline constexpr const char* office_address = "10.77.0.1";
inline constexpr const char* device_address = "10.77.0.2";

// Two namespaces, each with an interface that leads into the link. Needs /dev/net/tun, and the
// right to make namespaces: throws std::system_error without.
class Namespaces {
 public:
  Namespaces();
  ~Namespaces();
  Namespaces(const Namespaces&) = delete;
  Namespaces& operator=(const Namespaces&) = delete;

  enum Side : std::size_t { office, device };
  // Starts a program on that side. Its process.
  [[nodiscard]] pid_t start(Side side, const std::vector<std::string>& arguments) const;
  // Reads and writes whole IP packets.
  [[nodiscard]] int interface_of(Side side) const { return interfaces_[side]; }

 private:
  std::array<int, 2> namespaces_{-1, -1};
  std::array<int, 2> interfaces_{-1, -1};
};

// One direction.
class Pipe {
 public:
  using Clock = std::chrono::steady_clock;

  Pipe(const LinkSettings& settings, std::uint64_t seed) : settings_(settings), random_(seed) {}

  void put(std::string packet, Clock::time_point now);
  // When the next packet arrives; the end of time where none is under way.
  [[nodiscard]] Clock::time_point next() const;
  // Pre: next() is not later than now.
  [[nodiscard]] std::string take();

 private:
  struct UnderWay {
    Clock::time_point leaves;  // the queue
    Clock::time_point arrives;
    std::string packet;
  };

  LinkSettings settings_;
  std::mt19937_64 random_;
  std::deque<UnderWay> under_way_;
  Clock::time_point free_{};
};

// Carries packets both ways until `process` has ended. Its exit code.
[[nodiscard]] int carry(const Namespaces& namespaces, const LinkSettings& settings, pid_t process);

}  // namespace fieldsync::edge
