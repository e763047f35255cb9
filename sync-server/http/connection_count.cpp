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
  // Whatever takes memory comes before what would have to be taken back.
  auto place = std::unique_ptr<Place>(new Place(*this, network));
  std::list<Place*> listed{place.get()};
  const std::lock_guard lock(mutex_);
  if (in_all_ >= limits_.in_all) return nullptr;
  OfOne& own = of_one_[network];
  if (own.all >= limits_.of_one_address) return nullptr;
  if (own.strangers >= limits_.strangers_of_one_address) end_oldest_stranger(&network);
  if (strangers_.size() >= limits_.strangers) end_oldest_stranger(nullptr);
  place->at_ = listed.begin();
  strangers_.splice(strangers_.end(), listed);
  ++own.strangers;
  ++own.all;
  ++in_all_;
  place->is_counted_ = true;
  return place;
}

void ConnectionCount::end_oldest_stranger(const Network* network) {
  const auto is_meant = [&](const Place* place) { return network == nullptr || place->network_ == *network; };
  Place& oldest = **std::find_if(strangers_.begin(), strangers_.end(), is_meant);
  count_as_no_stranger(oldest);
  if (oldest.end_) oldest.end_();
}

void ConnectionCount::count_as_no_stranger(Place& place) {
  if (!place.at_) return;
  strangers_.erase(*std::exchange(place.at_, std::nullopt));
  --of_one_.at(place.network_).strangers;
}

ConnectionCount::Place::~Place() {
  const std::lock_guard lock(count_.mutex_);
  if (!is_counted_) return;
  count_.count_as_no_stranger(*this);
  --count_.in_all_;
  const auto own = count_.of_one_.find(network_);
  if (--own->second.all == 0) count_.of_one_.erase(own);
}

void ConnectionCount::Place::ends_by(std::function<void()> end) {
  const std::lock_guard lock(count_.mutex_);
  end_ = std::move(end);
}

void ConnectionCount::Place::peer_is_known() {
  const std::lock_guard lock(count_.mutex_);
  count_.count_as_no_stranger(*this);
}

std::size_t ConnectionCount::in_all() const {
  const std::lock_guard lock(mutex_);
  return in_all_;
}

}  // namespace fieldsync::server
