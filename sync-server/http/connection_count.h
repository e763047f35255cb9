// connection_count.h: how many connections are open, in all and from each address, so that nobody
// takes all of them; and which are of strangers, who make room for each other.
//
// Each connection begins as a stranger's. Where strangers have their share already, of an address or of
// all, the one of them that has been there longest is ended for the next: whoever holds places without
// being known cannot keep out somebody who is.
//
// An IPv6 address counts with its network of 64 bits, which is what one site has at least (RFC 6177);
// an IPv4 address within IPv6 as itself.
//
// Threads  Any. `end` is called within admit().
#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace fieldsync::server {

class ConnectionCount {
 public:
  struct Limits {
    std::size_t in_all;
    std::size_t of_one_address;
    std::size_t strangers;
    std::size_t strangers_of_one_address;
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
  // Ends the stranger that has been there longest, of this network or of any. Pre: the lock is held, as below.
  void end_oldest_stranger(const Network* network);
  void count_as_no_stranger(Place& place);

  Limits limits_;
  mutable std::mutex mutex_;
  std::size_t in_all_ = 0;
  std::map<Network, OfOne> of_one_;
  std::list<Place*> strangers_;  // in the order in which they came
};

// What one connection takes of the limits, for as long as this lives.
class ConnectionCount::Place {
 public:
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // What ends the connection to make room for another stranger. In all it counts until it has ended.
  void ends_by(std::function<void()> end);
  // From now on it is no stranger's.
  void peer_is_known();

 private:
  friend class ConnectionCount;
  Place(ConnectionCount& count, const Network& network) : count_(count), network_(network) {}

  ConnectionCount& count_;
  Network network_;
  bool is_counted_ = false;
  std::function<void()> end_;
  std::optional<std::list<Place*>::iterator> at_;  // among the strangers
};

}  // namespace fieldsync::server
