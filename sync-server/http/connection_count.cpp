#include "http/connection_count.h"

#include <algorithm>

#include "core/check.h"

namespace fieldsync::server {

ConnectionCount::Network ConnectionCount::network_of(const boost::asio::ip::address& address) {
  namespace ip = boost::asio::ip;
  Network network{};
  const bool is_within_v6 = address.is_v6() && address.to_v6().is_v4_mapped();
  if (address.is_v4() || is_within_v6) {
    const ip::address_v4 v4 = is_within_v6 ? ip::make_address_v4(ip::v4_mapped, address.to_v6()) : address.to_v4();
    const auto bytes = v4.to_bytes();
    // No IPv6 network of the internet begins so (RFC 4291 section 2.5.5).
    std::copy(bytes.begin(), bytes.end(), network.end() - static_cast<std::ptrdiff_t>(bytes.size()));
    return network;
  }
  const auto bytes = address.to_v6().to_bytes();
  std::copy_n(bytes.begin(), network.size(), network.begin());
  return network;
}

bool ConnectionCount::admit(const boost::asio::ip::address& address) {
  const std::lock_guard lock(mutex_);
  if (in_all_ >= most_) return false;
  std::size_t& own = of_one_[network_of(address)];
  if (own >= most_of_one_) return false;
  ++own;
  ++in_all_;
  return true;
}

void ConnectionCount::leave(const boost::asio::ip::address& address) {
  const std::lock_guard lock(mutex_);
  const auto at = of_one_.find(network_of(address));
  FIELDSYNC_CHECK(at != of_one_.end() && in_all_ > 0, "who leaves was admitted");
  --in_all_;
  if (--at->second == 0) of_one_.erase(at);
}

std::size_t ConnectionCount::in_all() const {
  const std::lock_guard lock(mutex_);
  return in_all_;
}

}  // namespace fieldsync::server
