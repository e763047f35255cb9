#include "transport/tcp_state.h"

// Not netinet/tcp.h, whose tcp_info ends before the shortest round trip.
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

namespace fieldsync::transport {
namespace {

// The kernel's own numbers (include/net/tcp_states.h).
constexpr int established = 1;
constexpr int close_wait = 8;
// What it says where it has measured nothing.
constexpr std::uint32_t not_measured = UINT32_MAX;

}  // namespace

std::optional<OnTheWay> bytes_on_the_way(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  if (info.tcpi_state != established && info.tcpi_state != close_wait) return std::nullopt;
  int unacknowledged = 0;
  if (::ioctl(socket, SIOCOUTQ, &unacknowledged) != 0) return std::nullopt;
  // What arrived behind a lost packet (RFC 2018) is on the way no more: while that is sent again, the link would stand
  // still.
  const auto sent = static_cast<std::uint64_t>(std::max(unacknowledged, 0));
  const std::uint64_t arrived = std::uint64_t{info.tcpi_sacked} * info.tcpi_snd_mss;
  const std::uint32_t shortest_us = info.tcpi_min_rtt == not_measured ? 0 : info.tcpi_min_rtt;
  return OnTheWay{sent - std::min(sent, arrived), core::Milliseconds{(shortest_us + 999) / 1000}};
}

}  // namespace fieldsync::transport
