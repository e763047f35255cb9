#include "edge/tcp_packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>

namespace fieldsync::edge {
namespace {

constexpr std::size_t ip_header_bytes = 20;
constexpr std::size_t tcp_header_bytes = 20;
constexpr std::uint8_t acknowledgement_flag = 0x10;
constexpr std::uint8_t reset_flag = 0x04;

std::uint32_t number_at(const std::string& bytes, std::size_t at, std::size_t size) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return number;
}

void put_number(std::string& bytes, std::size_t at, std::size_t size, std::uint32_t number) {
  for (std::size_t i = size; i-- > 0; number >>= 8) bytes[at + i] = static_cast<char>(number);
}

// RFC 1071; all sums here are of an even number of bytes.
std::uint32_t sum_of(const std::string& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 2) sum += number_at(bytes, at, 2);
  return sum;
}

std::uint32_t checksum(std::uint32_t sum) {
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  return ~sum & 0xFFFF;
}

std::uint32_t address_number(const char* text) {
  in_addr address{};
  ::inet_pton(AF_INET, text, &address);
  return ntohl(address.s_addr);
}

}  // namespace

std::optional<TcpSegment> tcp_of(const std::string& packet) {
  if (packet.size() < ip_header_bytes || number_at(packet, 0, 1) >> 4 != 4) return std::nullopt;
  const std::size_t tcp = (number_at(packet, 0, 1) & 0xF) * 4;
  if (number_at(packet, 9, 1) != IPPROTO_TCP || packet.size() < tcp + tcp_header_bytes) return std::nullopt;
  const std::size_t payload = tcp + (number_at(packet, tcp + 12, 1) >> 4) * 4;
  if (payload > packet.size()) return std::nullopt;
  return TcpSegment{static_cast<std::uint16_t>(number_at(packet, tcp, 2)),
                    static_cast<std::uint16_t>(number_at(packet, tcp + 2, 2)),
                    number_at(packet, tcp + 4, 4),
                    number_at(packet, tcp + 8, 4),
                    (number_at(packet, tcp + 13, 1) & acknowledgement_flag) != 0,
                    packet.size() - payload};
}

std::string reset_packet(const Endpoint& from, const Endpoint& to, std::uint32_t sequence) {
  std::string tcp(tcp_header_bytes, '\0');
  put_number(tcp, 0, 2, from.port);
  put_number(tcp, 2, 2, to.port);
  put_number(tcp, 4, 4, sequence);
  put_number(tcp, 12, 1, tcp_header_bytes / 4 << 4);
  put_number(tcp, 13, 1, reset_flag);
  std::string addresses(8, '\0');
  put_number(addresses, 0, 4, address_number(from.address));
  put_number(addresses, 4, 4, address_number(to.address));
  put_number(tcp, 16, 2, checksum(sum_of(addresses) + IPPROTO_TCP + tcp_header_bytes + sum_of(tcp)));
  std::string ip(12, '\0');
  put_number(ip, 0, 1, 0x45);
  put_number(ip, 2, 2, ip_header_bytes + tcp_header_bytes);
  put_number(ip, 8, 1, 64);
  put_number(ip, 9, 1, IPPROTO_TCP);
  ip += addresses;
  put_number(ip, 10, 2, checksum(sum_of(ip)));
  return ip + tcp;
}

}  // namespace fieldsync::edge
