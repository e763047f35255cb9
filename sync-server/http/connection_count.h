// connection_count.h: how many connections are open, in all and from each address, so that nobody
// takes all of them; and how many of an address's are of strangers, so that who is none keeps room there.
//
// An IPv6 address counts with its network of 64 bits, which is what one site has at least (RFC 6177);
// an IPv4 address within IPv6 as itself.
//
// Threads  Any.
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>

namespace fieldsync::server {

class ConnectionCount {
 public:
  struct Limits {
    std::size_t in_all;
    std::size_t of_one_address;
    std::size_t of_one_address_by_strangers;
  };
  class Place;

  explicit ConnectionCount(const Limits& limits) : limits_(limits) {}

  // A stranger's. Null where it would be one too many. The count outlives it.
  [[nodiscard]] std::unique_ptr<Place> admit(const boost::asio::ip::address& address);
  [[nodiscard]] std::size_t in_all() const;

 private:
  using Network = std::array<unsigned char, 8>;
  struct OfOne {
    std::size_t all = 0;
    std::size_t strangers = 0;
  };
  [[nodiscard]] static Network network_of(const boost::asio::ip::address& address);

  Limits limits_;
  mutable std::mutex mutex_;
  std::size_t in_all_ = 0;
  std::map<Network, OfOne> of_one_;
};

// What one connection takes of the limits, for as long as this lives.
class ConnectionCount::Place {
 public:
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // From now on it is no stranger's.
  void peer_is_known();

 private:
  friend class ConnectionCount;
  Place(ConnectionCount& count, const Network& network) : count_(count), network_(network) {}

  ConnectionCount& count_;
  Network network_;
  bool is_strangers_ = true;
};

}  // namespace fieldsync::server
