// What a person sees of a field under each merge policy.
#include "core/field_view.h"

#include <catch2/catch.hpp>

#include "support/core_builders.h"

using namespace fieldsync::core;
using namespace fieldsync::testing;

namespace {

const FieldKey place = key(fields::place_name);

// The view of a replica that received `left` and `right`, written without
// either seeing the other; `right` is the later one.
struct Merged {
  Values shown;
  bool conflict;
  bool operator==(const Merged&) const = default;
};

Merged merge(std::uint32_t field, const Value& left, const Value& right) {
  Replica one(1), two(2);
  one.clock_ms = 100;
  two.clock_ms = 200;
  const Operation first = one.type(key(field), left);
  const Operation second = two.type(key(field), right);
  one.pull({second});
  two.pull({first});
  CHECK(one.state == two.state);
  return {one.shown(key(field)), one.in_conflict(key(field))};
}

}  // namespace

TEST_CASE("a field that nobody wrote shows nothing", "[core][field_view]") {
  const Replica one(1);
  CHECK(one.shown(place).empty());
  CHECK_FALSE(one.in_conflict(place));
}

TEST_CASE("a register shows both of two concurrent values, the later first, as a conflict", "[core][field_view]") {
  CHECK(merge(fields::place_name, text("Osh"), text("Naryn")) == Merged{{text("Naryn"), text("Osh")}, true});
}

TEST_CASE("equal values written at once are no conflict", "[core][field_view]") {
  CHECK(merge(fields::place_name, text("Osh"), text("Osh")) == Merged{{text("Osh")}, false});
}

TEST_CASE("a register that was emptied shows nothing", "[core][field_view]") {
  Replica one(1);
  one.type(place, text("Osh"));
  one.type(place, empty());
  CHECK(one.shown(place).empty());
  CHECK_FALSE(one.in_conflict(place));
}

TEST_CASE("emptying a field while another writes it is a conflict that shows both", "[core][field_view]") {
  CHECK(merge(fields::place_name, text("Osh"), empty()) == Merged{{empty(), text("Osh")}, true});
}

TEST_CASE("three siblings with two distinct values show two", "[core][field_view]") {
  Replica one(1), two(2), three(3);
  const Operation left = one.type(place, text("Osh"));
  const Operation right = two.type(place, text("Naryn"));
  three.type(place, text("Osh"));
  three.pull({left, right});
  CHECK(three.shown(place) == Values{text("Osh"), text("Naryn")});
  CHECK(three.in_conflict(place));
}

TEST_CASE("a set shows each element once, in order, and is never in conflict", "[core][field_view]") {
  CHECK(merge(fields::languages, text("ru"), text("ky")) == Merged{{text("ky"), text("ru")}, false});
  CHECK(merge(fields::languages, text("ru"), text("ru")) == Merged{{text("ru")}, false});
}

TEST_CASE("max shows the greatest, whoever wrote later", "[core][field_view]") {
  CHECK(merge(fields::severity, choice("high"), choice("low")) == Merged{{choice("high")}, false});
  CHECK(merge(fields::severity, choice("low"), choice("middle")) == Merged{{choice("middle")}, false});
}

TEST_CASE("max takes a choice that the form does not know for the greatest", "[core][field_view]") {
  CHECK(merge(fields::severity, choice("extreme"), choice("high")) == Merged{{choice("extreme")}, false});
}

TEST_CASE("min shows the smallest, whoever wrote later", "[core][field_view]") {
  CHECK(merge(fields::first_seen, date(10), date(20)) == Merged{{date(10)}, false});
  CHECK(merge(fields::first_seen, date(20), date(-3)) == Merged{{date(-3)}, false});
}

TEST_CASE("any is true where anybody said so", "[core][field_view]") {
  CHECK(merge(fields::at_risk, yes(), no()) == Merged{{yes()}, false});
  CHECK(merge(fields::at_risk, no(), no()) == Merged{{no()}, false});
}

TEST_CASE("a withdrawal of consent beats a later yes that had not seen it", "[core][field_view]") {
  CHECK(merge(fields::consent, choice("withdrawn"), choice("open")) == Merged{{choice("withdrawn")}, false});
}

TEST_CASE("consent given again after seeing the withdrawal counts", "[core][field_view]") {
  Replica one(1), two(2);
  two.pull({one.type(key(fields::consent), choice("withdrawn"))});
  two.type(key(fields::consent), choice("open"));
  CHECK(two.shown(key(fields::consent)) == Values{choice("open")});
}

TEST_CASE("an emptied value never beats a written one in max, min, any and most restrictive", "[core][field_view]") {
  CHECK(merge(fields::severity, choice("low"), empty()).shown == Values{choice("low")});
  CHECK(merge(fields::first_seen, date(3), empty()).shown == Values{date(3)});
  CHECK(merge(fields::at_risk, no(), empty()).shown == Values{no()});
  CHECK(merge(fields::consent, choice("open"), empty()).shown == Values{choice("open")});
}

TEST_CASE("each author keeps a verdict of their own, which is no conflict", "[core][field_view]") {
  CHECK(merge(fields::verdict, text("bad"), text("good")) == Merged{{text("good"), text("bad")}, false});
}

TEST_CASE("an author's own later verdict takes the place of the earlier, from either device", "[core][field_view]") {
  Replica phone(1, 7), laptop(2, 7), other(3, 8);
  const Operation elsewhere = other.type(key(fields::verdict), text("mixed"));
  laptop.pull({elsewhere, phone.type(key(fields::verdict), text("bad"))});
  laptop.clock_ms = 10;
  laptop.type(key(fields::verdict), text("good"));
  CHECK(laptop.shown(key(fields::verdict)) == Values{text("good"), text("mixed")});
  CHECK(laptop.state.siblings(key(fields::verdict)).size() == 2);
}

TEST_CASE("of two verdicts that one person gave on two devices at once, the later is shown", "[core][field_view]") {
  Replica phone(1, 7), laptop(2, 7);
  laptop.clock_ms = 10;
  const Operation earlier = phone.type(key(fields::verdict), text("bad"));
  laptop.type(key(fields::verdict), text("good"));
  laptop.pull({earlier});
  CHECK(laptop.shown(key(fields::verdict)) == Values{text("good")});
  CHECK(laptop.state.siblings(key(fields::verdict)).size() == 2);
}

TEST_CASE("a verdict that its author emptied is not shown", "[core][field_view]") {
  Replica one(1);
  one.type(key(fields::verdict), text("bad"));
  one.type(key(fields::verdict), empty());
  CHECK(one.shown(key(fields::verdict)).empty());
}

TEST_CASE("a list shows every entry, the oldest first", "[core][field_view]") {
  CHECK(merge(fields::follow_up, text("call"), text("write")) == Merged{{text("call"), text("write")}, false});
  Replica one(1);
  for (const char* entry : {"a", "b", "a"}) {
    ++one.clock_ms;
    one.type(key(fields::follow_up), text(entry));
  }
  CHECK(one.shown(key(fields::follow_up)) == Values{text("a"), text("b"), text("a")});
}

TEST_CASE("a counter shows the sum of what the devices counted", "[core][field_view]") {
  CHECK(merge(fields::head_count, integer(3), integer(4)) == Merged{{integer(7)}, false});
  Replica one(1);
  one.type(key(fields::head_count), integer(5));
  one.type(key(fields::head_count), integer(-2));
  CHECK(one.shown(key(fields::head_count)) == Values{integer(3)});
  CHECK(one.state.siblings(key(fields::head_count)).size() == 1);
}

TEST_CASE("a counter wraps around instead of overflowing", "[core][field_view]") {
  CHECK(merge(fields::head_count, integer(INT64_MAX), integer(1)).shown == Values{integer(INT64_MIN)});
}

TEST_CASE("sealed values are compared by nobody: the field is read as a register", "[core][field_view]") {
  const Value sealed = SealedValue{1, "box", {}};
  CHECK(merge(fields::severity, choice("high"), sealed) == Merged{{sealed, choice("high")}, true});
}

TEST_CASE("open conflicts are listed by key, without sets, places of items and deletions", "[core][field_view]") {
  Replica one(1), two(2);
  const FieldKey answer = key(fields::answer, 1);
  const auto write_all = [&](Replica& replica, const std::string& what) {
    return replica.save({sets(answer, text(what)), sets(key(fields::interviews, 1), text(what)),
                         sets(key(fields::languages), text(what)), sets(place, text(what)),
                         sets(key(fields::unknown), text(what)), delete_write(replica.state, item(1))});
  };
  write_all(one, "left");
  one.pull({write_all(two, "right")});
  const Form form = visit_form();
  CHECK(open_conflicts(one.state, &form) == std::vector{place, key(fields::unknown), answer});
}

TEST_CASE("without a form every field but existence counts as a register", "[core][field_view]") {
  Replica one(1), two(2);
  const Operation left = one.type(key(fields::severity), choice("low"));
  two.type(key(fields::severity), choice("high"));
  two.pull({left});
  const Form form = visit_form();
  CHECK(open_conflicts(two.state, &form).empty());
  CHECK(open_conflicts(two.state, nullptr) == std::vector{key(fields::severity)});
}
