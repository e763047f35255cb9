// tcp_packet.h: reads and makes TCP segments within IPv4 packets (RFC 9293, RFC 791).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace fieldsync::edge {

struct TcpSegment {
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  bool has_acknowledgement = false;
  std::size_t payload_bytes = 0;
};

// Nothing where the packet is none.
[[nodiscard]] std::optional<TcpSegment> tcp_of(const std::string& packet);

struct Endpoint {
  const char* address;
  std::uint16_t port;
};

// A whole packet that breaks the connection, where `sequence` is what the receiver expects next.
[[nodiscard]] std::string reset_packet(const Endpoint& from, const Endpoint& to, std::uint32_t sequence);

}  // namespace fieldsync::edge
