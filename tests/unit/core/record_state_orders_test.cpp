// Every order in which the operations of a few devices can arrive, one by one:
// scenarios by hand, and random histories of up to six operations.
#include <functional>

#include "core/effective_time.h"
#include "support/core_random_history.h"

using namespace fieldsync::core;
using namespace fieldsync::testing;

namespace {

// Calls `visit` with each order that keeps every device's own: 720 of them for six
// operations of six devices.
void for_each_order(const Logs& logs, const std::function<void(const Order&)>& visit) {
  Lengths next(logs.size(), 0);
  Order order;
  const std::function<void()> extend = [&] {
    bool complete = true;
    for (std::size_t device = 0; device < logs.size(); ++device) {
      if (next[device] == logs[device].size()) continue;
      complete = false;
      order.push_back(&logs[device][next[device]++]);
      extend();
      order.pop_back();
      --next[device];
    }
    if (complete) visit(order);
  };
  extend();
}

// As a server commits them: received and numbered in the order of arrival.
RecordState committed(const Order& order) {
  RecordState state;
  std::uint64_t seq = 0;
  for (const Operation* each : order) {
    Stamp stamp = honest_stamp(*each);
    stamp.seq = ++seq;
    stamp.received = {static_cast<std::int64_t>(1'000'000 + seq)};
    state.apply(*each, stamp);
  }
  return state;
}

// The same with effective times given on arrival, which depend on the order.
RecordState committed_with_times(const Order& order) {
  RecordState state;
  std::int64_t now = 1'000'000;
  for (const Operation* each : order) {
    Stamp stamp = honest_stamp(*each);
    stamp.received = {++now};
    stamp.effective = effective_time(*each, state, {stamp.received, {0}});
    state.apply(*each, stamp);
  }
  return state;
}

RecordState without_arrival(RecordState state) {
  for (StampedOperation& stamped : state.stamps) {
    stamped.stamp.seq = 0;
    stamped.stamp.received = {};
  }
  return state;
}

RecordState without_times(RecordState state) {
  state = without_arrival(std::move(state));
  for (StampedOperation& stamped : state.stamps) stamped.stamp.effective = {};
  for (Awaited& awaited : state.awaited) awaited.not_after = {};
  return state;
}

// The number of orders; 0 where two of them differ.
int orders_that_agree(const Logs& logs) {
  int orders = 0;
  bool agree = true;
  RecordState first;
  for_each_order(logs, [&](const Order& order) {
    const RecordState state = without_arrival(committed(order));
    if (orders++ == 0) first = state;
    agree = agree && state == first && without_times(committed_with_times(order)) == without_times(first);
  });
  return agree ? orders : 0;
}

// Keeps `saved` apart by device; in the order of saving.
Logs logs_of(const std::vector<Operation>& saved) {
  std::map<DeviceId, std::vector<Operation>> by_device;
  for (const Operation& each : saved) by_device[each.id.device].push_back(each);
  Logs logs;
  for (auto& [device_id, log] : by_device) logs.push_back(std::move(log));
  return logs;
}

const FieldKey place = key(fields::place_name);
const FieldKey languages = key(fields::languages);

std::vector<Replica> replicas(int count) {
  std::vector<Replica> made;
  for (int number = 1; number <= count; ++number) {
    made.emplace_back(number);
    made.back().clock_ms = 1000 * (number % 3);
  }
  return made;
}

}  // namespace

TEST_CASE("the orders of six devices are 720, and those of two with three operations each 20", "[core][orders]") {
  const auto count = [](const std::vector<std::size_t>& lengths) {
    Logs logs;
    for (const std::size_t length : lengths) logs.emplace_back(length);
    int orders = 0;
    for_each_order(logs, [&](const Order&) { ++orders; });
    return orders;
  };
  CHECK(count({1, 1, 1, 1, 1, 1}) == 720);
  CHECK(count({3, 3}) == 20);
  CHECK(count({6}) == 1);
  CHECK(count({2, 1, 3}) == 60);
}

TEST_CASE("six edits that know nothing of each other merge the same in all 720 orders", "[core][orders]") {
  std::vector<Operation> saved;
  for (Replica& each : replicas(6)) saved.push_back(each.type(place, text(each.clock_ms == 0 ? "Osh" : "Naryn")));
  CHECK(orders_that_agree(logs_of(saved)) == 720);
}

TEST_CASE("a chain of six edits, each over the last, merges the same in all 720 orders", "[core][orders]") {
  auto people = replicas(6);
  std::vector<Operation> saved;
  for (std::size_t i = 0; i < 6; ++i) {
    saved.push_back(people[i].type(place, integer(static_cast<std::int64_t>(i))));
    if (i < 5) people[i + 1].state = people[i].state;
  }
  CHECK(orders_that_agree(logs_of(saved)) == 720);
  CHECK(state_of(saved).siblings(place).size() == 1);
}

TEST_CASE("a conflict, its settling, a stale edit and a delete merge the same in all 720 orders", "[core][orders]") {
  auto people = replicas(6);
  const Operation first = people[0].type(place, text("Osh"));
  people[1].pull({first});
  people[2].pull({first});
  const Operation left = people[1].type(place, text("Osh 1"));
  const Operation right = people[2].type(place, text("Osh 2"));
  people[3].pull({first, left, right});
  const Operation settled = people[3].save({resolve_field(people[3].open(place), text("Osh 12"))});
  people[4].pull({first});
  const Operation stale = people[4].type(place, text("Osh 3"));
  people[5].pull({first, left});
  const Operation deletion = people[5].save({delete_write(people[5].state, item(0))});

  const std::vector saved = {first, left, right, settled, stale, deletion};
  CHECK(orders_that_agree(logs_of(saved)) == 720);
  const RecordState state = state_of(saved);
  CHECK(state.siblings(place).size() == 2);
  CHECK_FALSE(state.hidden());
}

TEST_CASE("a set that several people add to and take from merges the same in all 720 orders", "[core][orders]") {
  auto people = replicas(6);
  const Operation three =
      people[0].save({sets(languages, text("ky")), sets(languages, text("ru")), sets(languages, text("tg"))});
  for (int other : {1, 2, 3}) people[static_cast<std::size_t>(other)].pull({three});
  const Operation removed = people[1].save({remove_value(people[1].open(languages), text("ru")).value()});
  const Operation again = people[2].type(languages, text("ru"));
  const Operation removed_too = people[3].save({remove_value(people[3].open(languages), text("ru")).value()});
  people[4].pull({three, removed, again});
  const Operation emptied = people[4].save({resolve_field(people[4].open(languages), empty())});
  const Operation apart = people[5].type(languages, text("uz"));

  const std::vector saved = {three, removed, again, removed_too, emptied, apart};
  CHECK(orders_that_agree(logs_of(saved)) == 720);
}

TEST_CASE("deletes and restores of a record and an item merge the same in every order", "[core][orders]") {
  auto people = replicas(3);
  const Operation answer = people[0].type(key(fields::answer, 1), text("yes"));
  people[1].pull({answer});
  people[2].pull({answer});
  const Operation item_gone = people[0].save({delete_write(people[0].state, item(1))});
  const Operation gone = people[1].save({delete_write(people[1].state, item(0))});
  const Operation back = people[1].save({restore_write(people[1].state, item(0))});
  const Operation edit = people[2].type(key(fields::answer, 1), text("no"));
  people[2].pull({item_gone, gone});
  const Operation item_back = people[2].save({restore_write(people[2].state, item(1))});
  CHECK(orders_that_agree(logs_of({answer, item_gone, gone, back, edit, item_back})) == 90);
}

TEST_CASE("counters, verdicts and lists merge the same in every order", "[core][orders]") {
  auto people = replicas(3);
  std::vector<Operation> saved;
  const auto count = [&](Replica& person_at_work, std::int64_t added) {
    const Form form = visit_form();
    const auto write = [&](std::uint32_t field, Value value) {
      return write_field(person_at_work.open(key(field)), form.find(field), std::move(value));
    };
    saved.push_back(person_at_work.save({write(fields::head_count, integer(added)), write(fields::verdict, text("v")),
                                         write(fields::follow_up, text("f")), write(fields::severity, choice("low"))}));
  };
  for (Replica& each : people) count(each, 1);
  people[0].pull({saved[1]});
  people[1].pull({saved[2]});
  for (Replica& each : people) count(each, 10);
  CHECK(orders_that_agree(logs_of(saved)) == 90);
  Replica reader(9);
  for (const Operation& each : saved) reader.pull({each});
  CHECK(reader.shown(key(fields::head_count)) == Values{integer(33)});
}

TEST_CASE("operations that claim to replace each other in a circle merge the same in every order", "[core][orders]") {
  // No device of ours writes this; a forged one may.
  const std::vector saved = {
      operation(op_id(1, 1), {sets(place, text("a"), {value_id(2, 1)})}, 1),
      operation(op_id(2, 1), {sets(place, text("b"), {value_id(3, 1)})}, 2),
      operation(op_id(3, 1), {sets(place, text("c"), {value_id(1, 1)})}, 3),
      operation(op_id(3, 2), {sets(key(fields::beds), integer(1), {value_id(3, 2), value_id(4, 7)})}, 4)};
  CHECK(orders_that_agree(logs_of(saved)) == 12);
  const RecordState state = state_of(saved);
  CHECK(state.fields == std::vector<FieldState>{{key(fields::beds), {{value_id(3, 2), integer(1)}}}});
}

TEST_CASE("the first six operations of any history merge the same in every order", "[core][orders]") {
  for_all_histories([](const History& history) {
    const Play play(history);
    std::vector<Operation> saved;
    for (const Written& each : play.written) {
      if (saved.size() < 6) saved.push_back(play.logs[each.id.device.bytes.back() - 1u][each.id.counter - 1]);
    }
    RC_ASSERT(orders_that_agree(logs_of(saved)) > 0);
  });
}
