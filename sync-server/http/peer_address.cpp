#include "http/peer_address.h"

#include <algorithm>

namespace fieldsync::server {

namespace ip = boost::asio::ip;

ip::address unmapped(const ip::address& address) {
  const bool is_mapped = address.is_v6() && address.to_v6().is_v4_mapped();
  return is_mapped ? ip::address(ip::make_address_v4(ip::v4_mapped, address.to_v6())) : address;
}

std::string network_text(const ip::address& address) {
  const ip::address own = unmapped(address);
  if (own.is_v4()) return own.to_string();
  auto bytes = own.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return ip::address_v6(bytes).to_string() + "/64";
}

std::string peer_address(const ip::tcp::socket& socket) {
  boost::system::error_code gone;
  const auto endpoint = socket.remote_endpoint(gone);
  return gone ? std::string() : network_text(endpoint.address());
}

}  // namespace fieldsync::server
