// What clocks may decide: which sibling is shown first, and nothing else. Over
// random histories, as in record_state_laws_test.cpp.
#include <limits>

#include "core/effective_time.h"
#include "support/core_random_history.h"

using namespace fieldsync::core;
using namespace fieldsync::testing;

namespace {

// Any time a broken clock may say.
std::int64_t any_time(std::minstd_rand& random) {
  switch (random() % 6) {
    case 0: return std::numeric_limits<std::int64_t>::min();
    case 1: return std::numeric_limits<std::int64_t>::max();
    case 2: return 0;
    default: return static_cast<std::int64_t>(random() % 20000) - 10000;
  }
}

RecordState without_times(RecordState state) {
  for (StampedOperation& stamped : state.stamps) {
    stamped.stamp.claimed = stamped.stamp.effective = stamped.stamp.received = {};
  }
  for (Awaited& awaited : state.awaited) awaited.not_after = {};
  return state;
}

RecordState applied_under_any_clock(const Order& order, unsigned seed) {
  std::minstd_rand random(seed + 1);
  RecordState state;
  for (const Operation* each : order) {
    Stamp stamp = honest_stamp(*each);
    stamp.claimed = {any_time(random)};
    stamp.effective = {any_time(random)};
    stamp.received = {any_time(random)};
    state.apply(*each, stamp);
  }
  return state;
}

// One operation's arrival at a server that gives it its time.
struct Receipt {
  const Operation* operation;
  RecordState before;
  Instant received;
  Instant effective;
};

// The server's clock never goes back; the devices' claims and offsets are anything.
std::vector<Receipt> receive(const Order& order, unsigned seed) {
  std::minstd_rand random(seed + 1);
  std::vector<Receipt> receipts;
  RecordState state;
  Instant now{0};
  for (const Operation* each : order) {
    now.ms += random() % 1000;
    Operation claimed = *each;
    claimed.claimed = {any_time(random)};
    const Instant effective = effective_time(claimed, state, {now, {any_time(random)}});
    receipts.push_back({each, state, now, effective});
    Stamp stamp = honest_stamp(*each);
    stamp.effective = effective;
    stamp.received = now;
    state.apply(*each, stamp);
  }
  return receipts;
}

bool replaces(const Operation& later, const OperationId& earlier) {
  for (const FieldWrite& write : later.writes) {
    for (const ValueId& id : write.replaces) {
      if (id.operation == earlier) return true;
    }
  }
  return false;
}

// All operations in an order in which none comes before one that it replaces.
Order causal(const Play& play, unsigned seed) {
  std::minstd_rand random(seed + 1);
  Lengths next(play.logs.size(), 0);
  SeenVector seen;
  Order order;
  while (order.size() < play.written.size()) {
    const std::size_t device = random() % play.logs.size();
    if (next[device] == play.logs[device].size()) continue;
    const Operation& candidate = play.logs[device][next[device]];
    bool ready = true;
    for (const FieldWrite& write : candidate.writes) {
      for (const ValueId& id : write.replaces)
        ready = ready && (id.operation == candidate.id || seen.covers(id.operation));
    }
    if (!ready) continue;
    seen.add(candidate.id);
    order.push_back(&candidate);
    ++next[device];
  }
  return order;
}

}  // namespace

TEST_CASE("the siblings are the same under every clock (11)", "[core][laws]") {
  for_all_histories([](const History& history, unsigned seed) {
    const Play play(history);
    const Lengths part = some_of(play.logs, seed);
    const RecordState honest = applied(interleaved(play.logs, part, seed));
    const RecordState broken = applied_under_any_clock(interleaved(play.logs, part, seed + 1), seed);
    RC_ASSERT(without_times(honest) == without_times(broken));
  });
}

TEST_CASE("what hides and what is contested is the same under every clock (11)", "[core][laws]") {
  for_all_histories([](const History& history, unsigned seed) {
    const Play play(history);
    const Lengths part = some_of(play.logs, seed);
    const RecordState honest = applied(interleaved(play.logs, part, seed));
    const RecordState broken = applied_under_any_clock(interleaved(play.logs, part, seed), seed);
    const Form form = visit_form();
    RC_ASSERT(honest.hidden() == broken.hidden());
    RC_ASSERT(honest.contested_deletions().size() == broken.contested_deletions().size());
    RC_ASSERT(open_conflicts(honest, &form) == open_conflicts(broken, &form));
  });
}

TEST_CASE("no effective time is later than the receipt, in whatever order operations come (11)", "[core][laws]") {
  for_all_histories([](const History& history, unsigned seed) {
    const Play play(history);
    for (const Receipt& receipt : receive(interleaved(play.logs, play.all(), seed), seed)) {
      RC_ASSERT(receipt.effective <= receipt.received);
    }
  });
}

TEST_CASE("an effective time is never before the live values that the operation replaces (11)", "[core][laws]") {
  for_all_histories([](const History& history, unsigned seed) {
    const Play play(history);
    for (const Receipt& receipt : receive(causal(play, seed), seed)) {
      for (const StampedOperation& live : receipt.before.stamps) {
        if (!replaces(*receipt.operation, live.id)) continue;
        RC_ASSERT(receipt.effective >= live.stamp.effective);
      }
    }
  });
}

TEST_CASE("a device's operations of a record keep the order of their live values in time (11)", "[core][laws]") {
  for_all_histories([](const History& history, unsigned seed) {
    const Play play(history);
    for (const Receipt& receipt : receive(causal(play, seed), seed)) {
      for (const StampedOperation& live : receipt.before.stamps) {
        if (live.id.device == receipt.operation->id.device) RC_ASSERT(receipt.effective >= live.stamp.effective);
      }
    }
  });
}

TEST_CASE("an operation that comes late is not stamped after one that had replaced it (11)", "[core][laws]") {
  for_all_histories([](const History& history, unsigned seed) {
    const Play play(history);
    const std::vector<Receipt> receipts = receive(interleaved(play.logs, play.all(), seed), seed);
    for (auto late = receipts.begin(); late != receipts.end(); ++late) {
      for (auto earlier = receipts.begin(); earlier != late; ++earlier) {
        if (replaces(*earlier->operation, late->operation->id)) RC_ASSERT(late->effective <= earlier->effective);
      }
    }
  });
}
