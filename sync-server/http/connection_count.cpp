#include "http/connection_count.h"

#include <algorithm>
#include <utility>

#include "http/peer_address.h"

namespace fieldsync::server {

ConnectionCount::Network ConnectionCount::network_of(const boost::asio::ip::address& address) {
  const auto own = unmapped(address);
  Network network{};
  if (own.is_v4()) {
    const auto bytes = own.to_v4().to_bytes();
    // No IPv6 network of the internet begins so (RFC 4291 section 2.5.5).
    std::copy(bytes.begin(), bytes.end(), network.end() - static_cast<std::ptrdiff_t>(bytes.size()));
    return network;
  }
  const auto bytes = own.to_v6().to_bytes();
  std::copy_n(bytes.begin(), network.size(), network.begin());
  return network;
}

std::unique_ptr<ConnectionCount::Place> ConnectionCount::admit(const boost::asio::ip::address& address) {
  const Network network = network_of(address);
  const std::lock_guard lock(mutex_);
  if (in_all_ >= limits_.in_all) return nullptr;
  if (const auto at = of_one_.find(network); at != of_one_.end()) {
    if (at->second.all >= limits_.of_one_address) return nullptr;
    if (at->second.strangers >= limits_.of_one_address_by_strangers) return nullptr;
  }
  // Whatever takes memory comes before what would have to be taken back.
  OfOne& own = of_one_[network];
  auto place = std::unique_ptr<Place>(new Place(*this, network));
  ++own.all;
  ++own.strangers;
  ++in_all_;
  return place;
}

ConnectionCount::Place::~Place() {
  const std::lock_guard lock(count_.mutex_);
  const auto at = count_.of_one_.find(network_);
  --count_.in_all_;
  if (is_strangers_) --at->second.strangers;
  if (--at->second.all == 0) count_.of_one_.erase(at);
}

void ConnectionCount::Place::peer_is_known() {
  const std::lock_guard lock(count_.mutex_);
  if (std::exchange(is_strangers_, false)) --count_.of_one_.at(network_).strangers;
}

std::size_t ConnectionCount::in_all() const {
  const std::lock_guard lock(mutex_);
  return in_all_;
}

}  // namespace fieldsync::server
