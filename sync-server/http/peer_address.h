// peer_address.h: how the other end of a connection is called where its tries are counted.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>

namespace fieldsync::server {

// An IPv4 address within IPv6 as itself.
[[nodiscard]] boost::asio::ip::address unmapped(const boost::asio::ip::address& address);

// Of IPv6 the network of 64 bits, which is what one site has at least (RFC 6177); an IPv4 address
// within IPv6 as itself.
[[nodiscard]] std::string network_text(const boost::asio::ip::address& address);

// Empty where the connection is gone.
[[nodiscard]] std::string peer_address(const boost::asio::ip::tcp::socket& socket);

}  // namespace fieldsync::server
