// How many connections one address may have, and how an address is called.
#include "http/connection_count.h"
#include "http/peer_address.h"

#include <catch2/catch.hpp>
#include <memory>
#include <vector>

using namespace fieldsync;
using boost::asio::ip::make_address;
using server::ConnectionCount;

namespace {

// Connections that come one after another, and stay.
class Doorway {
 public:
  explicit Doorway(const ConnectionCount::Limits& limits) : count(limits) {}

  bool let_in(const char* address) {
    auto place = count.admit(make_address(address));
    if (!place) return false;
    place->ends_by([this, number = places.size()] { ended.push_back(number); });
    places.push_back(std::move(place));
    return true;
  }

  ConnectionCount count;
  std::vector<std::unique_ptr<ConnectionCount::Place>> places;
  std::vector<std::size_t> ended;  // of them, in order
};

using Numbers = std::vector<std::size_t>;

}  // namespace

TEST_CASE("One address takes no more than its share, and the others have theirs") {
  Doorway door({5, 2, 5, 5});
  CHECK(door.let_in("192.0.2.1"));
  CHECK(door.let_in("192.0.2.1"));
  CHECK_FALSE(door.let_in("192.0.2.1"));
  CHECK(door.let_in("192.0.2.2"));
  door.places.erase(door.places.begin());
  CHECK(door.let_in("192.0.2.1"));
  CHECK(door.count.in_all() == 3);
  CHECK(door.ended.empty());
}

TEST_CASE("All addresses together take no more than there is") {
  Doorway door({2, 2, 2, 2});
  CHECK(door.let_in("192.0.2.1"));
  CHECK(door.let_in("192.0.2.2"));
  CHECK_FALSE(door.let_in("192.0.2.3"));
  door.places.erase(door.places.begin());
  CHECK(door.let_in("192.0.2.3"));
  CHECK(door.ended.empty());
}

TEST_CASE("Where an address has its strangers, the one that came first makes room for the next") {
  Doorway door({10, 9, 10, 2});
  CHECK(door.let_in("192.0.2.1"));
  CHECK(door.let_in("192.0.2.2"));
  CHECK(door.let_in("192.0.2.1"));
  CHECK(door.ended.empty());
  CHECK(door.let_in("192.0.2.1"));
  CHECK(door.ended == Numbers{0});
  // Whoever is known makes room by that, and is ended for nobody.
  door.places[2]->peer_is_known();
  door.places[2]->peer_is_known();
  CHECK(door.let_in("192.0.2.1"));
  CHECK(door.ended == Numbers{0});
  CHECK(door.let_in("192.0.2.1"));
  CHECK(door.ended == Numbers{0, 3});
  // Those that were ended count until they are gone.
  CHECK(door.count.in_all() == 6);
  door.places.clear();
  CHECK(door.count.in_all() == 0);
}

TEST_CASE("A stranger who leaves makes room, and one who was ended or known before leaves no second time") {
  Doorway door({10, 9, 10, 2});
  for (int i = 0; i < 3; ++i) CHECK(door.let_in("192.0.2.1"));
  CHECK(door.ended == Numbers{0});
  door.places[1]->peer_is_known();
  door.places[0].reset();
  door.places[1].reset();
  CHECK(door.let_in("192.0.2.1"));
  CHECK(door.ended == Numbers{0});
  door.places[2].reset();
  CHECK(door.let_in("192.0.2.1"));
  CHECK(door.ended == Numbers{0});
  CHECK(door.let_in("192.0.2.1"));
  CHECK(door.ended == Numbers{0, 3});
}

TEST_CASE("Where strangers of all addresses have their share, the one that came first makes room for the next") {
  Doorway door({10, 9, 2, 2});
  CHECK(door.let_in("192.0.2.1"));
  CHECK(door.let_in("192.0.2.2"));
  CHECK(door.let_in("192.0.2.3"));
  CHECK(door.ended == Numbers{0});
  door.places[1]->peer_is_known();
  CHECK(door.let_in("192.0.2.4"));
  CHECK(door.let_in("192.0.2.5"));
  CHECK(door.ended == Numbers{0, 2});
}

TEST_CASE("An IPv6 network of 64 bits is one, and an IPv4 address is itself in both forms") {
  Doorway door({10, 1, 10, 1});
  CHECK(door.let_in("2001:db8:0:1::1"));
  CHECK_FALSE(door.let_in("2001:db8:0:1:ffff::2"));
  CHECK(door.let_in("2001:db8:0:2::1"));
  CHECK(door.let_in("192.0.2.1"));
  CHECK_FALSE(door.let_in("::ffff:192.0.2.1"));
  CHECK(door.let_in("::1"));
}

TEST_CASE("An address is called by its network of 64 bits, an IPv4 address by itself in both forms") {
  CHECK(server::network_text(make_address("2001:db8:0:1:ffff::2")) == "2001:db8:0:1::/64");
  CHECK(server::network_text(make_address("2001:db8:0:1::1")) == "2001:db8:0:1::/64");
  CHECK(server::network_text(make_address("192.0.2.1")) == "192.0.2.1");
  CHECK(server::network_text(make_address("::ffff:192.0.2.1")) == "192.0.2.1");
}
