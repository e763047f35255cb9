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
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace fieldsync::edge {

// EDGE as measured where it is slow.
struct LinkSettings {
  std::chrono::milliseconds round_trip{300};
  double bits_per_second = 100'000;
  std::size_t queue_bytes = 16 * 1024;
  double loss = 0;           // of packets, from 0 to 1, before they reach the queue: as netem loses them
  bool lost_on_air = false;  // instead behind it, when they have taken their time on the link
  std::uint64_t seed = 1;
  std::string congestion_control{};  // TCP's, by the kernel's name; empty: what the kernel takes by itself
};

inline constexpr const char* office_address = "10.77.0.1";
inline constexpr const char* device_address = "10.77.0.2";

// Two namespaces, each with an interface that leads into the link. Needs /dev/net/tun, and the
// right to make namespaces: throws std::system_error without.
class Namespaces {
 public:
  // `congestion_control`: as LinkSettings says.
  explicit Namespaces(const std::string& congestion_control);
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

// Both directions, and what goes through them.
class Link {
 public:
  Link(const Namespaces& namespaces, const LinkSettings& settings);

  // Carries packets until `process` has ended, and calls `watch` every few milliseconds. The
  // process's exit code; -1 where `watch` returned false before.
  [[nodiscard]] int carry(
      pid_t process, const std::function<bool()>& watch = [] { return true; });
  // Whatever is under way is lost, and every connection that was open is broken: both ends hear
  // so a moment later, as where a phone changes its network.
  void cut();
  // What the device's programs sent, and what TCP sent of it again.
  [[nodiscard]] std::uint64_t payload_bytes_up() const { return payload_bytes_up_; }
  [[nodiscard]] std::uint64_t repeated_bytes_up() const { return repeated_bytes_up_; }

 private:
  using Clock = Pipe::Clock;
  // One TCP connection, by the ports of the office and the device, and what each side expects next.
  struct Connection {
    std::uint16_t office_port = 0;
    std::uint16_t device_port = 0;
    auto operator<=>(const Connection&) const = default;
  };

  void take(std::size_t from, const std::string& packet);
  void note(std::size_t from, const std::string& packet);
  void reset_connections();

  LinkSettings settings_;
  std::array<int, 2> ends_;
  std::array<Pipe, 2> pipes_;
  std::map<Connection, std::array<std::uint32_t, 2>> expected_;  // by side
  std::map<Connection, std::uint32_t> sent_up_to_;               // by the device
  std::optional<Clock::time_point> reset_at_;
  std::uint64_t payload_bytes_up_ = 0;
  std::uint64_t repeated_bytes_up_ = 0;
};

}  // namespace fieldsync::edge
