// Deleting records and items, bringing them back, and what happens to an edit
// that the deletion had not seen.
#include <catch2/catch.hpp>

#include "core/record_state.h"
#include "support/core_builders.h"

using namespace fieldsync::core;
using namespace fieldsync::testing;

namespace {

const FieldKey place = key(fields::place_name);
constexpr int whole_record = 0;

Operation delete_at(Replica& replica, int item_number) {
  return replica.save({delete_write(replica.state, item(item_number))});
}

Operation restore_at(Replica& replica, int item_number) {
  return replica.save({restore_write(replica.state, item(item_number))});
}

}  // namespace

TEST_CASE("deleting a record hides it where all its edits were seen", "[core][deletion]") {
  Replica one(1), two(2);
  two.pull({one.type(place, text("Osh"))});
  CHECK_FALSE(two.state.hidden());
  one.pull({delete_at(two, whole_record)});
  CHECK(one.state.hidden());
  CHECK(two.state.hidden());
  CHECK(one.state.contested_deletions().empty());
  CHECK(one.state == two.state);
}

TEST_CASE("a deleted record keeps its values", "[core][deletion]") {
  Replica one(1);
  one.type(place, text("Osh"));
  delete_at(one, whole_record);
  CHECK(one.shown(place) == Values{text("Osh")});
}

TEST_CASE("an offline edit survives a concurrent delete and the deletion is flagged", "[core][deletion]") {
  Replica one(1), two(2);
  two.pull({one.type(place, text("Osh"))});
  const Operation edit = one.type(place, text("Osh 1"));
  const Operation deletion = delete_at(two, whole_record);
  one.pull({deletion});
  two.pull({edit});

  CHECK(one.state == two.state);
  CHECK_FALSE(one.state.hidden());
  REQUIRE(one.state.contested_deletions().size() == 1);
  CHECK(one.state.contested_deletions().front()->id.operation == deletion.id);
  CHECK(one.shown(place) == Values{text("Osh 1")});
}

TEST_CASE("an edit of another field survives a concurrent delete just the same", "[core][deletion]") {
  Replica one(1), two(2);
  two.pull({one.type(place, text("Osh"))});
  const Operation edit = one.type(key(fields::beds), integer(40));
  delete_at(two, whole_record);
  two.pull({edit});
  CHECK_FALSE(two.state.hidden());
}

TEST_CASE("two deletions at once that saw every edit hide the record together", "[core][deletion]") {
  Replica one(1), two(2);
  two.pull({one.type(place, text("Osh"))});
  const Operation left = delete_at(one, whole_record);
  const Operation right = delete_at(two, whole_record);
  one.pull({right});
  two.pull({left});
  CHECK(one.state.hidden());
  CHECK(two.state.hidden());
}

TEST_CASE("two deletions that each saw half of the edits hide nothing", "[core][deletion]") {
  Replica one(1), two(2);
  const Operation left = one.type(place, text("Osh"));
  const Operation right = two.type(key(fields::beds), integer(40));
  const Operation left_deletion = delete_at(one, whole_record);
  const Operation right_deletion = delete_at(two, whole_record);
  const RecordState state = state_of({left, right, left_deletion, right_deletion});
  CHECK_FALSE(state.hidden());
  CHECK(state.contested_deletions().size() == 2);
}

TEST_CASE("restoring brings a record back as it was", "[core][deletion]") {
  Replica one(1), two(2);
  const Operation edit = one.type(place, text("Osh"));
  const Operation deletion = delete_at(one, whole_record);
  two.pull({edit, deletion});
  const Operation restoring = restore_at(two, whole_record);
  one.pull({restoring});
  CHECK_FALSE(one.state.hidden());
  CHECK(one.state.contested_deletions().empty());
  CHECK(one.shown(place) == Values{text("Osh")});
}

TEST_CASE("restoring undoes every deletion that was seen", "[core][deletion]") {
  Replica one(1), two(2);
  two.pull({one.type(place, text("Osh"))});
  const Operation other = delete_at(two, whole_record);
  delete_at(one, whole_record);
  one.pull({other});
  restore_at(one, whole_record);
  CHECK_FALSE(one.state.hidden());
  CHECK(one.state.siblings(key(existence_field)).size() == 1);
}

TEST_CASE("a restored record can be deleted again", "[core][deletion]") {
  Replica one(1);
  one.type(place, text("Osh"));
  for (int round = 0; round < 3; ++round) {
    delete_at(one, whole_record);
    CHECK(one.state.hidden());
    restore_at(one, whole_record);
    CHECK_FALSE(one.state.hidden());
  }
  CHECK(one.state.siblings(key(existence_field)).size() == 1);
}

TEST_CASE("a deletion that had not seen the restoring leaves the record visible and contested", "[core][deletion]") {
  Replica one(1), two(2);
  two.pull({one.type(place, text("Osh")), delete_at(one, whole_record)});
  const Operation restoring = restore_at(one, whole_record);
  const Operation again = delete_at(two, whole_record);
  one.pull({again});
  two.pull({restoring});
  CHECK(one.state == two.state);
  CHECK_FALSE(one.state.hidden());
  CHECK(one.state.contested_deletions().size() == 1);
}

TEST_CASE("deleting an item hides that item alone", "[core][deletion]") {
  Replica one(1);
  one.type(key(fields::interviews, 1), text("a"));
  one.type(key(fields::answer, 1), text("yes"));
  one.type(key(fields::answer, 2), text("no"));
  delete_at(one, 1);
  CHECK(one.state.item_hidden(item(1)));
  CHECK_FALSE(one.state.item_hidden(item(2)));
  CHECK_FALSE(one.state.hidden());
  CHECK(one.state.items() == std::vector{item(1), item(2)});
}

TEST_CASE("an edit in an item survives a concurrent delete of the item", "[core][deletion]") {
  Replica one(1), two(2);
  two.pull({one.type(key(fields::answer, 1), text("yes"))});
  const Operation edit = two.type(key(fields::answer, 1), text("no"));
  const Operation deletion = delete_at(one, 1);
  one.pull({edit});
  CHECK_FALSE(one.state.item_hidden(item(1)));
  REQUIRE(one.state.contested_item_deletions(item(1)).size() == 1);
  CHECK(one.state.contested_item_deletions(item(1)).front()->id.operation == deletion.id);
  CHECK(one.state.contested_item_deletions(item(2)).empty());
}

TEST_CASE("an edit elsewhere in the record does not bring an item back", "[core][deletion]") {
  Replica one(1), two(2);
  two.pull({one.type(key(fields::answer, 1), text("yes"))});
  const Operation elsewhere = two.type(place, text("Osh"));
  delete_at(one, 1);
  one.pull({elsewhere});
  CHECK(one.state.item_hidden(item(1)));
}

TEST_CASE("an item that was deleted can be restored", "[core][deletion]") {
  Replica one(1);
  one.type(key(fields::answer, 1), text("yes"));
  delete_at(one, 1);
  restore_at(one, 1);
  CHECK_FALSE(one.state.item_hidden(item(1)));
}

TEST_CASE("deleting a record hides it although an item had been deleted before", "[core][deletion]") {
  Replica one(1);
  one.type(key(fields::answer, 1), text("yes"));
  delete_at(one, 1);
  delete_at(one, whole_record);
  CHECK(one.state.hidden());
}

TEST_CASE("a concurrent edit in an item keeps the whole record visible", "[core][deletion]") {
  Replica one(1), two(2);
  two.pull({one.type(place, text("Osh"))});
  const Operation edit = two.type(key(fields::answer, 1), text("yes"));
  delete_at(one, whole_record);
  one.pull({edit});
  CHECK_FALSE(one.state.hidden());
}

TEST_CASE("a deletion covers what was seen of each device and no more", "[core][deletion]") {
  SeenVector seen;
  seen.add(op_id(1, 2));
  const Operation deletion = operation(op_id(2, 1), {sets(key(existence_field), Value{Deletion{seen}})});
  const Operation covered = operation(op_id(1, 2), {sets(place, text("Osh"))});
  const Operation newer = operation(op_id(1, 3), {sets(key(fields::beds), integer(3))});
  CHECK(state_of({covered, deletion}).hidden());
  CHECK_FALSE(state_of({covered, newer, deletion}).hidden());
}
