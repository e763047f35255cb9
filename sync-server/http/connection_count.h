// connection_count.h: how many connections are open, in all and from each address, so that nobody
// takes all of them.
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
#include <mutex>

namespace fieldsync::server {

class ConnectionCount {
 public:
  ConnectionCount(std::size_t most, std::size_t most_of_one) : most_(most), most_of_one_(most_of_one) {}

  // False where it would be one too many: then it does not count.
  [[nodiscard]] bool admit(const boost::asio::ip::address& address);
  // Pre: it was admitted.
  void leave(const boost::asio::ip::address& address);
  [[nodiscard]] std::size_t in_all() const;

 private:
  using Network = std::array<unsigned char, 8>;
  [[nodiscard]] static Network network_of(const boost::asio::ip::address& address);

  std::size_t most_;
  std::size_t most_of_one_;
  mutable std::mutex mutex_;
  std::size_t in_all_ = 0;
  std::map<Network, std::size_t> of_one_;
};

}  // namespace fieldsync::server
