#include "core/value.h"

#include <catch2/catch.hpp>

#include "support/core_builders.h"

using namespace fieldsync::core;
using namespace fieldsync::testing;

TEST_CASE("a new vector has seen nothing", "[core][value]") {
  const SeenVector seen;
  CHECK_FALSE(seen.covers(op_id(1, 1)));
  CHECK(seen.counter_of(device(1)) == 0);
}

TEST_CASE("what a device did up to the newest operation seen is covered, and nothing after", "[core][value]") {
  SeenVector seen;
  seen.add(op_id(2, 5));
  CHECK(seen.covers(op_id(2, 1)));
  CHECK(seen.covers(op_id(2, 5)));
  CHECK_FALSE(seen.covers(op_id(2, 6)));
  CHECK_FALSE(seen.covers(op_id(1, 1)));
  CHECK_FALSE(seen.covers(op_id(3, 1)));
}

TEST_CASE("an older operation does not take a vector back", "[core][value]") {
  SeenVector seen;
  seen.add(op_id(1, 5));
  seen.add(op_id(1, 3));
  CHECK(seen.counter_of(device(1)) == 5);
  seen.add(op_id(1, 6));
  CHECK(seen.counter_of(device(1)) == 6);
}

TEST_CASE("a vector is sorted by device in whatever order it was filled", "[core][value]") {
  SeenVector up, down;
  for (const int number : {1, 2, 3}) up.add(op_id(number, 1));
  for (const int number : {3, 1, 2, 1}) down.add(op_id(number, 1));
  CHECK(up == down);
  CHECK(up.newest == std::vector{op_id(1, 1), op_id(2, 1), op_id(3, 1)});
}

TEST_CASE("values of different kinds are never equal", "[core][value]") {
  CHECK(text("high") != choice("high"));
  CHECK(integer(1) != date(1));
  CHECK(integer(1) != Value{1.0});
  CHECK(integer(1) != Value{Instant{1}});
  CHECK(empty() != text(""));
  CHECK(no() != empty());
  CHECK(Value{LocalText{"ky", "a"}} != Value{LocalText{"ru", "a"}});
}

TEST_CASE("instants and spans stop at their ends instead of overflowing", "[core][value]") {
  const Instant first{INT64_MIN}, last{INT64_MAX};
  CHECK(Instant{5} + Milliseconds{-7} == Instant{-2});
  CHECK(last + Milliseconds{1} == last);
  CHECK(first + Milliseconds{-1} == first);
  CHECK(last + Milliseconds{INT64_MIN} == Instant{-1});
  CHECK(Instant{5} - Instant{7} == Milliseconds{-2});
  CHECK(last - first == Milliseconds{INT64_MAX});
  CHECK(first - last == Milliseconds{INT64_MIN});
}
