#include "core/edit.h"

#include <catch2/catch.hpp>

#include "support/core_builders.h"

using namespace fieldsync::core;
using namespace fieldsync::testing;

namespace {

const FieldKey place = key(fields::place_name);
const FieldKey languages = key(fields::languages);
const FieldKey head_count = key(fields::head_count);

// Three people wrote the field without seeing each other; three is the latest.
Replica in_conflict_over(FieldKey where, const Value& a, const Value& b, const Value& c) {
  Replica one(1), two(2), three(3);
  three.clock_ms = 100;
  const Operation left = one.type(where, a);
  const Operation right = two.type(where, b);
  three.type(where, c);
  three.pull({left, right});
  return three;
}

}  // namespace

TEST_CASE("the first edit of a field replaces nothing", "[core][edit]") {
  const Replica one(1);
  CHECK(write_field(one.open(place), nullptr, text("Osh")) == sets(place, text("Osh")));
}

TEST_CASE("a plain edit of a conflicted register replaces only the value that was shown", "[core][edit]") {
  Replica three = in_conflict_over(place, text("a"), text("b"), text("c"));
  const FieldWrite write = write_field(three.open(place), nullptr, text("d"));
  CHECK(write == sets(place, text("d"), {value_id(3, 1)}));
  three.clock_ms = 200;
  three.save({write});
  CHECK(three.shown(place) == Values{text("d"), text("b"), text("a")});
}

TEST_CASE("a plain edit replaces the shown value together with its equals", "[core][edit]") {
  const Replica three = in_conflict_over(place, text("c"), text("b"), text("c"));
  CHECK(write_field(three.open(place), nullptr, text("d")).replaces == std::vector{value_id(1, 1), value_id(3, 1)});
}

TEST_CASE("resolving replaces every value that was on the screen", "[core][edit]") {
  Replica three = in_conflict_over(place, text("a"), text("b"), text("c"));
  three.save({resolve_field(three.open(place), text("b"))});
  CHECK(three.shown(place) == Values{text("b")});
  CHECK_FALSE(three.in_conflict(place));
  CHECK(three.state.siblings(place).size() == 1);
}

TEST_CASE("resolving leaves a value that came after the screen was opened", "[core][edit]") {
  Replica one(1), two(2);
  one.type(place, text("a"));
  const FieldBase screen = one.open(place);
  one.pull({two.type(place, text("b"))});
  one.save({resolve_field(screen, text("a!"))});
  CHECK(one.in_conflict(place));
}

TEST_CASE("a pull while the person types does not turn a conflict into an overwrite", "[core][edit]") {
  Replica one(1), two(2);
  two.pull({one.type(place, text("Osh"))});
  const FieldBase screen = one.open(place);
  one.pull({two.type(place, text("Osh, women's wing"))});
  one.clock_ms = 100;
  one.type_over(screen, text("Osh, juveniles"));
  CHECK(one.shown(place) == Values{text("Osh, juveniles"), text("Osh, women's wing")});
  CHECK(one.in_conflict(place));
}

TEST_CASE("two saves over one opened screen both stay", "[core][edit]") {
  Replica one(1);
  const FieldBase screen = one.open(place);
  one.type_over(screen, text("a"));
  one.type_over(screen, text("b"));
  CHECK(one.in_conflict(place));
}

TEST_CASE("max, min, any and most restrictive replace all that was seen", "[core][edit]") {
  const Form form = visit_form();
  for (const std::uint32_t field : {fields::severity, fields::first_seen, fields::at_risk, fields::consent}) {
    FieldBase base;
    base.key = key(field);
    base.siblings = {{value_id(1, 1), no()}, {value_id(2, 1), yes()}};
    base.shown = {value_id(2, 1)};
    CHECK(write_field(base, form.find(field), yes()).replaces == std::vector{value_id(1, 1), value_id(2, 1)});
  }
}

TEST_CASE("a verdict replaces its author's own and nobody else's", "[core][edit]") {
  Replica phone(1, 7), laptop(2, 7), other(3, 8);
  const FieldKey verdict = key(fields::verdict);
  const Operation mine = phone.type(verdict, text("bad"));
  const Operation theirs = other.type(verdict, text("good"));
  laptop.pull({mine, theirs});
  const Form form = visit_form();
  CHECK(write_field(laptop.open(verdict), form.find(fields::verdict), text("mixed")).replaces ==
        std::vector{value_id(1, 1)});
}

TEST_CASE("an entry of a list replaces nothing", "[core][edit]") {
  Replica one(1);
  one.type(key(fields::follow_up), text("call"));
  const Form form = visit_form();
  CHECK(write_field(one.open(key(fields::follow_up)), form.find(fields::follow_up), text("call")).replaces.empty());
}

TEST_CASE("adding to a set takes the place of an equal element and of emptied places", "[core][edit]") {
  Replica one(1), two(2);
  const Operation same = two.type(languages, text("ky"));
  const Operation other = two.type(languages, text("ru"));
  one.pull({same, other, two.save({remove_value(two.open(languages), text("ru")).value()})});
  const Form form = visit_form();
  CHECK(write_field(one.open(languages), form.find(fields::languages), text("ky")).replaces ==
        std::vector{value_id(2, 1), value_id(2, 3)});
  CHECK(write_field(one.open(languages), form.find(fields::languages), text("tg")).replaces ==
        std::vector{value_id(2, 3)});
}

TEST_CASE("removing an element keeps the other elements of the same operation", "[core][edit]") {
  Replica one(1), two(2);
  two.pull({one.save({sets(languages, text("ky")), sets(languages, text("ru")), sets(languages, text("tg"))})});
  const auto removal = remove_value(two.open(languages), text("ru"));
  REQUIRE(removal.has_value());
  CHECK(*removal == sets(languages, empty(), {value_id(1, 1, 1)}));
  one.pull({two.save({*removal})});
  CHECK(one.shown(languages) == Values{text("ky"), text("tg")});
}

TEST_CASE("removing what is not in the set writes nothing", "[core][edit]") {
  Replica one(1);
  one.type(languages, text("ky"));
  CHECK_FALSE(remove_value(one.open(languages), text("ru")).has_value());
  one.save({remove_value(one.open(languages), text("ky")).value()});
  CHECK_FALSE(remove_value(one.open(languages), text("ky")).has_value());
}

TEST_CASE("however many elements are removed, one emptied place is left", "[core][edit]") {
  Replica one(1);
  for (const char* language : {"ky", "ru", "tg"}) one.type(languages, text(language));
  for (const char* language : {"ky", "ru", "tg"}) one.save({remove_value(one.open(languages), text(language)).value()});
  CHECK(one.shown(languages).empty());
  CHECK(one.state.siblings(languages).size() == 1);
}

TEST_CASE("an add wins over a remove that had not seen it", "[core][edit]") {
  Replica one(1), two(2);
  two.pull({one.type(languages, text("ky"))});
  const Operation again = one.type(languages, text("ky"));
  two.save({remove_value(two.open(languages), text("ky")).value()});
  two.pull({again});
  CHECK(two.shown(languages) == Values{text("ky")});
}

TEST_CASE("a removal takes every equal element wherever it was seen", "[core][edit]") {
  Replica one(1), two(2);
  const Operation mine = one.type(languages, text("ky"));
  two.type(languages, text("ky"));
  two.pull({mine});
  two.save({remove_value(two.open(languages), text("ky")).value()});
  CHECK(two.shown(languages).empty());
  CHECK(two.state.siblings(languages).size() == 1);
}

TEST_CASE("a counter writes its device's running sum over its own last one", "[core][edit]") {
  Replica one(1), two(2);
  one.pull({two.type(head_count, integer(100))});
  one.type(head_count, integer(5));
  const Form form = visit_form();
  CHECK(write_field(one.open(head_count), form.find(fields::head_count), integer(2)) ==
        sets(head_count, integer(7), {value_id(1, 1)}));
}

TEST_CASE("a count over one that waits names what that one named", "[core][edit]") {
  FieldWrite third = sets(head_count, integer(111), {value_id(1, 2)});
  Operation second;
  second.id = value_id(1, 2).operation;
  second.writes.push_back(sets(head_count, integer(11), {value_id(1, 1)}));
  second.writes.push_back(sets(key(fields::place_name), text("x"), {value_id(2, 9)}));
  name_beneath(third, second);
  CHECK(third.replaces == std::vector<ValueId>{value_id(1, 1), value_id(1, 2)});
  FieldWrite apart = sets(head_count, integer(5), {value_id(1, 3)});
  name_beneath(apart, second);
  CHECK(apart.replaces == std::vector<ValueId>{value_id(1, 3)});
}

TEST_CASE("a count names no more than a hundred: the newest, and the oldest, which the server has", "[core][edit]") {
  std::vector<Operation> waiting;  // each names what is beneath, as the editor saves it
  FieldWrite last;
  for (std::uint64_t counter = 2; counter <= 300; ++counter) {
    last = sets(head_count, integer(300), {value_id(1, counter - 1)});
    for (auto earlier = waiting.rbegin(); earlier != waiting.rend(); ++earlier) name_beneath(last, *earlier);
    waiting.push_back(operation(op_id(1, counter), {last}));
  }
  std::vector<ValueId> expected = {value_id(1, 1)};
  for (std::uint64_t counter = 201; counter < 300; ++counter) expected.push_back(value_id(1, counter));
  CHECK(last.replaces.size() == named_by_count_max);
  CHECK(last.replaces == expected);
}

TEST_CASE("a count on a pending one keeps what that one named, and adds to it", "[core][edit]") {
  const FieldWrite settled = sets(head_count, integer(10), {value_id(1, 1), value_id(2, 1)});
  CHECK(count_further(settled, integer(5)) == sets(head_count, integer(15), settled.replaces));
  CHECK(count_further(settled, empty()) == sets(head_count, empty(), settled.replaces));
  CHECK(count_further(sets(head_count, empty(), settled.replaces), integer(2)) ==
        sets(head_count, integer(2), settled.replaces));
}

TEST_CASE("two devices of one person count apart", "[core][edit]") {
  Replica phone(1, 7), laptop(2, 7);
  laptop.pull({phone.type(head_count, integer(5))});
  laptop.type(head_count, integer(2));
  CHECK(laptop.shown(head_count) == Values{integer(7)});
}

TEST_CASE("counting from several own values loses none of them", "[core][edit]") {
  // Two screens of one device were open at once, so neither count saw the other.
  Replica one(1);
  const FieldBase screen = one.open(head_count);
  one.type_over(screen, integer(1));
  one.type_over(screen, integer(1));
  REQUIRE(one.shown(head_count) == Values{integer(2)});
  one.type(head_count, integer(1));
  CHECK(one.shown(head_count) == Values{integer(3)});
}

TEST_CASE("a deletion carries what its replica had seen and replaces earlier deletions", "[core][edit]") {
  Replica one(1), two(2);
  two.type(place, text("Osh"));
  one.pull({two.type(place, text("Naryn"))});
  one.save({delete_write(one.state, item(0))});
  const FieldWrite again = delete_write(one.state, item(0));
  SeenVector seen;
  seen.add(op_id(1, 1));
  seen.add(op_id(2, 2));
  CHECK(again == sets(key(existence_field), Value{Deletion{seen}}, {value_id(1, 1)}));
}

TEST_CASE("restoring empties the existence field over every deletion seen", "[core][edit]") {
  Replica one(1);
  one.type(key(fields::answer, 1), text("yes"));
  one.save({delete_write(one.state, item(1))});
  CHECK(restore_write(one.state, item(1)) == sets(key(existence_field, 1), empty(), {value_id(1, 2)}));
}
