#include "core/effective_time.h"

#include <catch2/catch.hpp>

#include "support/core_builders.h"

using namespace fieldsync::core;
using namespace fieldsync::testing;

namespace {

const FieldKey place = key(fields::place_name);
const FieldKey beds = key(fields::beds);

// An operation that was stamped with `effective_ms`.
void take(RecordState& state, const Operation& operation, std::int64_t effective_ms) {
  Stamp stamp = honest_stamp(operation);
  stamp.effective = {effective_ms};
  state.apply(operation, stamp);
}

Instant time_of(const Operation& operation, const RecordState& state, std::int64_t received_ms,
                std::int64_t offset_ms = 0) {
  return effective_time(operation, state, {{received_ms}, {offset_ms}});
}

}  // namespace

TEST_CASE("the claimed time is corrected by what the device's clock is off", "[core][effective_time]") {
  CHECK(corrected_time({1000}, {{5000}, {0}}) == Instant{1000});
  CHECK(corrected_time({1000}, {{5000}, {250}}) == Instant{1250});
  CHECK(corrected_time({1000}, {{5000}, {-250}}) == Instant{750});
}

TEST_CASE("no time is later than the receipt", "[core][effective_time]") {
  CHECK(corrected_time({5000}, {{5000}, {0}}) == Instant{5000});
  CHECK(corrected_time({5001}, {{5000}, {0}}) == Instant{5000});
  CHECK(corrected_time({1000}, {{5000}, {4001}}) == Instant{5000});
}

TEST_CASE("absurd clocks neither overflow nor pass the receipt", "[core][effective_time]") {
  CHECK(corrected_time({INT64_MAX}, {{5000}, {INT64_MAX}}) == Instant{5000});
  CHECK(corrected_time({INT64_MIN}, {{5000}, {INT64_MIN}}) == Instant{INT64_MIN});
  CHECK(corrected_time({INT64_MAX}, {{5000}, {INT64_MIN}}) == Instant{-1});
}

TEST_CASE("the first operation of a record has its corrected time", "[core][effective_time]") {
  const Operation first = operation(op_id(1, 1), {sets(place, text("Osh"))}, 1000);
  CHECK(time_of(first, {}, 5000, 20) == Instant{1020});
}

TEST_CASE("an operation is never earlier than a value that it replaces", "[core][effective_time]") {
  RecordState state;
  take(state, operation(op_id(2, 1), {sets(place, text("Osh"))}), 3000);
  const Operation after = operation(op_id(1, 1), {sets(place, text("Naryn"), {value_id(2, 1)})}, 1000);
  CHECK(time_of(after, state, 5000) == Instant{3000});
}

TEST_CASE("a value that it does not replace does not hold an operation up", "[core][effective_time]") {
  RecordState state;
  take(state, operation(op_id(2, 1), {sets(place, text("Osh"))}), 3000);
  CHECK(time_of(operation(op_id(1, 1), {sets(place, text("Naryn"))}, 1000), state, 5000) == Instant{1000});
  CHECK(time_of(operation(op_id(1, 1), {sets(beds, integer(4))}, 1000), state, 5000) == Instant{1000});
}

TEST_CASE("an operation is never earlier than its device's own live values", "[core][effective_time]") {
  RecordState state;
  take(state, operation(op_id(1, 1), {sets(place, text("Osh"))}), 3000);
  CHECK(time_of(operation(op_id(1, 2), {sets(beds, integer(4))}, 1000), state, 5000) == Instant{3000});
}

TEST_CASE("of several bounds the latest counts", "[core][effective_time]") {
  RecordState state;
  take(state, operation(op_id(2, 1), {sets(place, text("Osh"))}), 2000);
  take(state, operation(op_id(3, 1), {sets(place, text("Naryn"))}), 3000);
  take(state, operation(op_id(1, 1), {sets(beds, integer(4))}), 2500);
  const Operation settled =
      operation(op_id(1, 2), {sets(place, text("Talas"), {value_id(2, 1), value_id(3, 1)})}, 1000);
  CHECK(time_of(settled, state, 5000) == Instant{3000});
}

TEST_CASE("an operation that comes after the one that replaced it is not stamped later", "[core][effective_time]") {
  RecordState state;
  take(state, operation(op_id(2, 1), {sets(place, text("new"), {value_id(1, 1)})}), 3000);
  const Operation late = operation(op_id(1, 1), {sets(place, text("old"))}, 4000);
  CHECK(time_of(late, state, 9000) == Instant{3000});
  CHECK(time_of(operation(op_id(1, 1), {sets(place, text("old"))}, 2000), state, 9000) == Instant{2000});
}

TEST_CASE("one awaited value of an operation bounds the time of all of it", "[core][effective_time]") {
  RecordState state;
  take(state, operation(op_id(2, 1), {sets(place, text("new"), {value_id(1, 1)})}), 3000);
  take(state, operation(op_id(3, 1), {sets(beds, integer(4), {value_id(1, 1)})}), 2000);
  const Operation late = operation(op_id(1, 1), {sets(place, text("old")), sets(beds, integer(3))}, 4000);
  CHECK(time_of(late, state, 9000) == Instant{2000});
}

TEST_CASE("an operation that a restored server gets again keeps the time that it had", "[core][effective_time]") {
  const RecordState state;
  const Operation again = operation(op_id(1, 1), {sets(beds, integer(4))}, 1000);
  CHECK(effective_time(again, state, {{9000}, {50}}, Instant{700}) == Instant{700});
  CHECK(effective_time(again, state, {{9000}, {50}}, Instant{9500}) == Instant{9000});
}
