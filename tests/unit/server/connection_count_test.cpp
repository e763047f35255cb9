// How many connections one address may have, and how an address is called.
#include "http/connection_count.h"
#include "http/peer_address.h"

#include <catch2/catch.hpp>

using namespace fieldsync;
using boost::asio::ip::make_address;
using server::ConnectionCount;

TEST_CASE("One address takes no more than its share, and the others have theirs") {
  ConnectionCount count(5, 2);
  const auto one = make_address("192.0.2.1");
  const auto other = make_address("192.0.2.2");
  CHECK(count.admit(one));
  CHECK(count.admit(one));
  CHECK_FALSE(count.admit(one));
  CHECK(count.admit(other));
  count.leave(one);
  CHECK(count.admit(one));
  CHECK(count.in_all() == 3);
}

TEST_CASE("All addresses together take no more than there is") {
  ConnectionCount count(2, 2);
  CHECK(count.admit(make_address("192.0.2.1")));
  CHECK(count.admit(make_address("192.0.2.2")));
  CHECK_FALSE(count.admit(make_address("192.0.2.3")));
  count.leave(make_address("192.0.2.1"));
  CHECK(count.admit(make_address("192.0.2.3")));
}

TEST_CASE("An IPv6 network of 64 bits is one, and an IPv4 address is itself in both forms") {
  ConnectionCount count(10, 1);
  CHECK(count.admit(make_address("2001:db8:0:1::1")));
  CHECK_FALSE(count.admit(make_address("2001:db8:0:1:ffff::2")));
  CHECK(count.admit(make_address("2001:db8:0:2::1")));
  CHECK(count.admit(make_address("192.0.2.1")));
  CHECK_FALSE(count.admit(make_address("::ffff:192.0.2.1")));
  CHECK(count.admit(make_address("::1")));
}

TEST_CASE("An address is called by its network of 64 bits, an IPv4 address by itself in both forms") {
  CHECK(server::network_text(make_address("2001:db8:0:1:ffff::2")) == "2001:db8:0:1::/64");
  CHECK(server::network_text(make_address("2001:db8:0:1::1")) == "2001:db8:0:1::/64");
  CHECK(server::network_text(make_address("192.0.2.1")) == "192.0.2.1");
  CHECK(server::network_text(make_address("::ffff:192.0.2.1")) == "192.0.2.1");
}
