#include "core/record_state.h"

#include <catch2/catch.hpp>

#include "support/core_builders.h"

using namespace fieldsync::core;
using namespace fieldsync::testing;

namespace {

const FieldKey place = key(fields::place_name);

std::vector<ValueId> ids_of(const RecordState& state, const FieldKey& where) {
  std::vector<ValueId> ids;
  for (const Sibling& sibling : state.siblings(where)) ids.push_back(sibling.id);
  return ids;
}

}  // namespace

TEST_CASE("a first edit leaves one value, with its stamp and its device seen", "[core][record_state]") {
  const Operation edit = operation(op_id(1, 1), {sets(place, text("Bishkek"))}, 5000);
  RecordState state;
  CHECK(apply(state, edit));

  RecordState expected;
  expected.id = record(1);
  expected.scope = scope(1);
  expected.form = "visit";
  expected.seen.add(op_id(1, 1));
  expected.stamps = {{op_id(1, 1), honest_stamp(edit)}};
  expected.fields = {{place, {{value_id(1, 1), text("Bishkek")}}}};
  CHECK(state == expected);
}

TEST_CASE("an edit made after seeing another takes its place and forgets its stamp", "[core][record_state]") {
  const RecordState state = state_of({operation(op_id(1, 1), {sets(place, text("Osh"))}),
                                      operation(op_id(2, 1), {sets(place, text("Osh 1"), {value_id(1, 1)})})});
  CHECK(ids_of(state, place) == std::vector{value_id(2, 1)});
  CHECK(state.stamps.size() == 1);
  CHECK(state.find_stamp(op_id(1, 1)) == nullptr);
  CHECK(state.seen.covers(op_id(1, 1)));
  CHECK(state.awaited.empty());
}

TEST_CASE("two edits that had not seen each other both stay", "[core][record_state]") {
  const RecordState state = state_of(
      {operation(op_id(2, 1), {sets(place, text("Osh"))}), operation(op_id(1, 1), {sets(place, text("Jalal-Abad"))})});
  CHECK(ids_of(state, place) == std::vector{value_id(1, 1), value_id(2, 1)});
  CHECK(view_field(state, place, nullptr).conflict);
}

TEST_CASE("siblings keep the order of their ids and are shown by time, then id", "[core][record_state]") {
  const RecordState state = state_of({operation(op_id(1, 1), {sets(place, text("late"))}, 900),
                                      operation(op_id(2, 1), {sets(place, text("early"))}, 100),
                                      operation(op_id(3, 1), {sets(place, text("also late"))}, 900)});
  CHECK(ids_of(state, place) == std::vector{value_id(1, 1), value_id(2, 1), value_id(3, 1)});
  std::vector<ValueId> shown;
  for (const Sibling* sibling : state.shown_order(place)) shown.push_back(sibling->id);
  CHECK(shown == std::vector{value_id(3, 1), value_id(1, 1), value_id(2, 1)});
}

TEST_CASE("an operation that comes again changes nothing", "[core][record_state]") {
  const Operation first = operation(op_id(1, 1), {sets(place, text("Osh"))});
  const Operation second = operation(op_id(1, 2), {sets(place, text("Naryn"), {value_id(1, 1)})});
  RecordState state = state_of({first, second});
  const RecordState before = state;
  CHECK_FALSE(apply(state, second));
  CHECK_FALSE(apply(state, first));
  CHECK(state == before);
}

TEST_CASE("an operation of another record is a broken promise of the caller", "[core][record_state]") {
  RecordState state = state_of({operation(op_id(1, 1), {sets(place, text("Osh"))})});
  Operation other = operation(op_id(1, 2), {sets(place, text("Osh"))});
  other.record = record(2);
  CHECK_THROWS_AS(apply(state, other), BrokenInvariant);
}

TEST_CASE("a value that was replaced before it arrived never appears", "[core][record_state]") {
  const Operation replaced = operation(op_id(1, 1), {sets(place, text("old"))}, 100);
  const Operation replacing = operation(op_id(2, 1), {sets(place, text("new"), {value_id(1, 1)})}, 200);

  RecordState state = state_of({replacing});
  CHECK(state.awaited == std::vector<Awaited>{{place, value_id(1, 1), {200}}});

  apply(state, replaced);
  CHECK(state == state_of({replaced, replacing}));
  CHECK(state.awaited.empty());
}

TEST_CASE("the earliest of several replacements bounds the time of the value still awaited", "[core][record_state]") {
  const RecordState state = state_of({operation(op_id(2, 1), {sets(place, text("b"), {value_id(1, 1)})}, 300),
                                      operation(op_id(3, 1), {sets(place, text("c"), {value_id(1, 1)})}, 200),
                                      operation(op_id(4, 1), {sets(place, text("d"), {value_id(1, 1)})}, 400)});
  CHECK(state.awaited == std::vector<Awaited>{{place, value_id(1, 1), {200}}});
}

TEST_CASE("a value is no longer awaited once its device is known further on", "[core][record_state]") {
  // (1, 1) was of another record: it will never come to this one.
  const RecordState state = state_of({operation(op_id(2, 1), {sets(place, text("b"), {value_id(1, 1)})}),
                                      operation(op_id(1, 2), {sets(key(fields::beds), integer(4))})});
  CHECK(state.awaited.empty());
}

TEST_CASE("naming a value in another field as replaced removes nothing", "[core][record_state]") {
  const RecordState state = state_of({operation(op_id(1, 1), {sets(place, text("Osh"))}),
                                      operation(op_id(2, 1), {sets(key(fields::beds), integer(4), {value_id(1, 1)})})});
  CHECK(ids_of(state, place) == std::vector{value_id(1, 1)});
}

TEST_CASE("an operation never replaces its own values", "[core][record_state]") {
  const RecordState state = state_of({operation(op_id(1, 1), {sets(place, text("Osh"), {value_id(1, 1)})})});
  CHECK(ids_of(state, place) == std::vector{value_id(1, 1)});
  CHECK(state.awaited.empty());

  const FieldKey languages = key(fields::languages);
  const RecordState two =
      state_of({operation(op_id(1, 1), {sets(languages, text("ky")), sets(languages, text("ru"), {value_id(1, 1)})})});
  CHECK(ids_of(two, languages) == std::vector{value_id(1, 1, 0), value_id(1, 1, 1)});
}

TEST_CASE("several values of one field in one operation are told apart by place", "[core][record_state]") {
  const FieldKey languages = key(fields::languages);
  const Operation add = operation(op_id(1, 1), {sets(place, text("Osh")), sets(languages, text("ky")),
                                                sets(languages, text("ru")), sets(languages, text("tg"))});
  CHECK(place_of_write(add, 0) == 0);
  CHECK(place_of_write(add, 1) == 0);
  CHECK(place_of_write(add, 2) == 1);
  CHECK(place_of_write(add, 3) == 2);

  const RecordState state = state_of({add, operation(op_id(2, 1), {sets(languages, empty(), {value_id(1, 1, 1)})})});
  CHECK(ids_of(state, languages) == std::vector{value_id(1, 1, 0), value_id(1, 1, 2), value_id(2, 1)});
}

TEST_CASE("an operation that writes nothing leaves no stamp behind whatever came before", "[core][record_state]") {
  // check_operation refuses such an operation; the state alone does not.
  const Operation nothing = operation(op_id(1, 1), {});
  const Operation edit = operation(op_id(2, 1), {sets(place, text("Osh"))});
  CHECK(state_of({nothing, edit}) == state_of({edit, nothing}));
  CHECK(state_of({nothing}).stamps.empty());
}

TEST_CASE("asking for the stamp of an operation without a live value is a broken promise", "[core][record_state]") {
  const RecordState state = state_of({operation(op_id(1, 1), {sets(place, text("Osh"))})});
  CHECK_THROWS_AS(state.stamp_of(op_id(1, 2)), BrokenInvariant);
}

TEST_CASE("the items that hold a value are listed once, in order", "[core][record_state]") {
  const RecordState state = state_of(
      {operation(op_id(1, 1), {sets(key(fields::interviews, 2), text("b")), sets(key(fields::answer, 2), text("yes")),
                               sets(key(fields::answer, 1), text("no")), sets(place, text("Osh"))})});
  CHECK(state.items() == std::vector{item(1), item(2)});
}

TEST_CASE("a field that the form does not know is kept and shown as a register", "[core][record_state]") {
  Replica one(1), two(2);
  const FieldKey unknown = key(fields::unknown);
  one.type(unknown, integer(1));
  const Operation second = two.type(unknown, integer(2));
  one.pull({second});
  CHECK(one.in_conflict(unknown));
  CHECK(one.shown(unknown) == Values{integer(2), integer(1)});
}
