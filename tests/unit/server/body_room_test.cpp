// How much of bodies may be under way.
#include "http/body_room.h"

#include <catch2/catch.hpp>

using fieldsync::server::BodyRoom;

TEST_CASE("Bodies under way take no more than there is, and one peer no more than its share") {
  BodyRoom room({100, 40});
  auto one = room.take("one", 30);
  CHECK(one);
  CHECK_FALSE(room.take("one", 11));
  const auto rest_of_one = room.take("one", 10);
  CHECK(rest_of_one);
  CHECK_FALSE(room.take("one", 1));
  const auto two = room.take("two", 40);
  CHECK(two);
  CHECK_FALSE(room.take("three", 21));
  const auto three = room.take("three", 20);
  CHECK(three);
  CHECK_FALSE(room.take("four", 1));
  // Who brings nothing is always let in.
  CHECK(room.take("four", 0));
  one.reset();
  CHECK(room.take("four", 30));
  CHECK(room.take("one", 30));
  CHECK_FALSE(room.take("one", 31));
}
