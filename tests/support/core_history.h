// core_history.h: histories for property tests, played. A few devices write one
// record, each on its own replica, and now and then take operations from each
// other: in each device's own order, but otherwise in any order and only partly.
// core_random_history.h makes them at random.
#pragma once

#include <map>
#include <random>
#include <vector>

#include "support/core_builders.h"

namespace fieldsync::testing {

enum class StepKind : int { open, save, save_two, resolve, remove, delete_, restore, pull };

struct Step {
  StepKind kind = StepKind::open;
  int actor = 0;
  int peer = 0;   // from whom to pull
  int place = 0;  // which field
  int value = 0;
  int count = 0;  // of operations to pull
};

struct History {
  int devices = 2;
  int persons = 1;
  int first_field = 0;
  int field_count = 1;  // few: many conflicts
  std::vector<Step> steps;
};

// How many operations of each device: a set of operations without gaps.
using Lengths = std::vector<std::size_t>;
using Logs = std::vector<std::vector<core::Operation>>;
using Order = std::vector<const core::Operation*>;

// An operation with what its author had before their eyes.
struct Written {
  core::OperationId id;
  Lengths known;                         // what the replica had applied
  std::vector<core::ValueId> on_screen;  // of the written fields, when opened
  std::int64_t counted = 0;              // what it adds to the counter
};

// A history as it went.
class Play {
 public:
  explicit Play(const History& history);

  Logs logs;                     // each device's operations
  std::vector<Written> written;  // in the order of saving
  std::vector<Replica> replicas;
  std::vector<Lengths> known;  // what each replica has applied

  [[nodiscard]] Lengths all() const;
  // `device` takes up to `count` operations that `peer` knows.
  void pull(std::size_t device, std::size_t peer, std::size_t count, unsigned seed);

 private:
  void play(const Step& step);
  void save(const Step& step, bool two);
  void settle(const Step& step);
  void remove(const Step& step);
  void commit(std::size_t device, std::vector<core::FieldWrite> writes, Written about);
  [[nodiscard]] core::FieldKey field_of(const Step& step, int offset = 0) const;
  core::FieldBase screen(std::size_t device, const core::FieldKey& where);

  History history_;
  std::vector<std::map<core::FieldKey, core::FieldBase>> screens_;  // opened and not yet saved
  core::Form form_ = visit_form();
  std::int64_t now_ms_ = 0;
};

// The operations counted by `lengths` in one of the orders that keep each
// device's own; `seed` picks it.
inline Order interleaved(const Logs& logs, const Lengths& lengths, unsigned seed) {
  std::minstd_rand random(seed + 1);
  Lengths next(logs.size(), 0);
  std::vector<std::size_t> left;
  for (std::size_t device = 0; device < logs.size(); ++device) left.insert(left.end(), lengths[device], device);
  Order order;
  while (!left.empty()) {
    const std::size_t pick = random() % left.size();
    const std::size_t device = left[pick];
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(pick));
    order.push_back(&logs[device][next[device]++]);
  }
  return order;
}

// Some part of every log, often all of it.
inline Lengths some_of(const Logs& logs, unsigned seed) {
  std::minstd_rand random(seed + 1);
  Lengths lengths;
  for (const auto& log : logs) lengths.push_back(random() % 3 == 0 ? random() % (log.size() + 1) : log.size());
  return lengths;
}

// The same with some operations sent again, at once or later.
inline Order with_repeats(const Order& order, unsigned seed) {
  std::minstd_rand random(seed + 1);
  Order repeated;
  for (const core::Operation* each : order) {
    repeated.push_back(each);
    while (random() % 2 == 0) repeated.push_back(repeated[random() % repeated.size()]);
  }
  return repeated;
}

// The same steps, each taken after seeing all that came before.
inline History one_after_the_other(const History& history, int rounds = 1) {
  History calm = history;
  calm.steps.clear();
  int last = 0;
  for (int round = 0; round < rounds; ++round) {
    for (const Step& step : history.steps) {
      if (step.kind == StepKind::open || step.kind == StepKind::pull) continue;
      calm.steps.push_back({StepKind::pull, step.actor, last, 0, step.value, 1000});
      calm.steps.push_back(step);
      last = step.actor;
    }
  }
  return calm;
}

inline core::RecordState applied(const Order& order) {
  core::RecordState state;
  for (const core::Operation* each : order) apply(state, *each);
  return state;
}

inline Play::Play(const History& history)
    : logs(static_cast<std::size_t>(history.devices)),
      known(logs.size(), Lengths(logs.size(), 0)),
      history_(history),
      screens_(logs.size()) {
  for (int number = 1; number <= history.devices; ++number) replicas.emplace_back(number, 1 + number % history.persons);
  for (const Step& step : history.steps) play(step);
}

inline Lengths Play::all() const {
  Lengths lengths;
  for (const auto& log : logs) lengths.push_back(log.size());
  return lengths;
}

inline core::FieldKey Play::field_of(const Step& step, int offset) const {
  static const std::vector<core::FieldKey> keys = {
      key(fields::place_name), key(fields::languages),    key(fields::head_count), key(fields::answer, 1),
      key(fields::answer, 2),  key(fields::verdict),      key(fields::severity),   key(fields::unknown),
      key(fields::consent),    key(fields::at_risk),      key(fields::follow_up),  key(fields::first_seen),
      key(fields::beds),       key(fields::interviews, 1)};
  const int place = history_.first_field + (step.place + offset) % history_.field_count;
  return keys[static_cast<std::size_t>(place) % keys.size()];
}

// A few values of the field's type, so that equal ones meet.
inline core::Value small_value(const core::FieldKey& where, int number) {
  static const char* const severities[] = {"low", "middle", "high"};
  static const char* const consents[] = {"open", "team", "withdrawn"};
  if (where.field == fields::head_count) return integer(number + 1);
  if (number == 3) return empty();
  switch (where.field) {
    case fields::severity: return choice(severities[number]);
    case fields::consent: return choice(consents[number]);
    case fields::at_risk: return number == 0 ? no() : yes();
    case fields::first_seen: return date(number);
    case fields::beds: return integer(number);
    default: return text(std::string(1, static_cast<char>('a' + number)));
  }
}

inline void Play::play(const Step& step) {
  const auto device = static_cast<std::size_t>(step.actor) % logs.size();
  now_ms_ += 500;
  // Clocks go wrong by up to some steps, and often say the same.
  replicas[device].clock_ms = now_ms_ / 2000 * 1000 + (step.actor % 3 - 1) * 4000;
  const core::RecordState& state = replicas[device].state;
  const core::ItemId place = item(step.place % 3);
  switch (step.kind) {
    case StepKind::open:
      screens_[device].insert_or_assign(field_of(step), replicas[device].open(field_of(step)));
      break;
    case StepKind::save: save(step, false); break;
    case StepKind::save_two: save(step, true); break;
    case StepKind::resolve: settle(step); break;
    case StepKind::remove: remove(step); break;
    case StepKind::delete_: commit(device, {core::delete_write(state, place)}, {}); break;
    case StepKind::restore: commit(device, {core::restore_write(state, place)}, {}); break;
    case StepKind::pull:
      pull(device, static_cast<std::size_t>(step.peer) % logs.size(),
           step.count > 6 ? 1000 : static_cast<std::size_t>(step.count),
           static_cast<unsigned>(step.value + 4 * step.count));
      break;
  }
}

// What the person saw when they opened the field, which may be long ago.
inline core::FieldBase Play::screen(std::size_t device, const core::FieldKey& where) {
  const auto opened = screens_[device].extract(where);
  return opened ? opened.mapped() : replicas[device].open(where);
}

inline void Play::save(const Step& step, bool two) {
  const auto device = static_cast<std::size_t>(step.actor) % logs.size();
  std::vector<core::FieldWrite> writes;
  Written about;
  for (int offset = 0; offset < (two ? 2 : 1); ++offset) {
    const core::FieldKey where = field_of(step, offset);
    if (offset == 1 && writes.front().key == where) break;
    const core::FieldBase base = screen(device, where);
    const core::FormField* field = form_.find(where.field);
    const core::Value value = small_value(where, step.value);
    writes.push_back(core::write_field(base, field, value));
    for (const core::Sibling& sibling : base.siblings) about.on_screen.push_back(sibling.id);
    if (where.field == fields::head_count) about.counted += std::get<std::int64_t>(value);
    const bool repeats = where.field == fields::languages || where.field == fields::follow_up;
    if (two && repeats) writes.push_back(core::write_field(base, field, small_value(where, (step.value + 1) % 3)));
  }
  commit(device, std::move(writes), std::move(about));
}

inline void Play::settle(const Step& step) {
  const auto device = static_cast<std::size_t>(step.actor) % logs.size();
  const core::FieldKey where = field_of(step);
  if (where.field == fields::head_count) return save(step, false);
  const core::FieldBase base = screen(device, where);
  Written about;
  for (const core::Sibling& sibling : base.siblings) about.on_screen.push_back(sibling.id);
  commit(device, {core::resolve_field(base, small_value(where, step.value))}, std::move(about));
}

inline void Play::remove(const Step& step) {
  const auto device = static_cast<std::size_t>(step.actor) % logs.size();
  const core::FieldKey where = field_of(step);
  if (where.field != fields::languages && where.field != fields::follow_up) return save(step, false);
  const core::FieldBase base = screen(device, where);
  auto write = core::remove_value(base, small_value(where, step.value % 3));
  if (!write) return;
  Written about;
  for (const core::Sibling& sibling : base.siblings) about.on_screen.push_back(sibling.id);
  commit(device, {*write}, std::move(about));
}

inline void Play::commit(std::size_t device, std::vector<core::FieldWrite> writes, Written about) {
  for (const core::FieldWrite& write : writes) {
    if (write.key.field != core::existence_field) continue;
    for (const core::Sibling& sibling : replicas[device].state.siblings(write.key))
      about.on_screen.push_back(sibling.id);
  }
  about.known = known[device];
  logs[device].push_back(replicas[device].save(std::move(writes)));
  ++known[device][device];
  about.id = logs[device].back().id;
  written.push_back(std::move(about));
}

inline void Play::pull(std::size_t device, std::size_t peer, std::size_t count, unsigned seed) {
  Logs missing(logs.size());
  for (std::size_t from = 0; from < logs.size(); ++from) {
    const auto begin = logs[from].begin();
    const std::size_t have = known[device][from], theirs = known[peer][from];
    if (have < theirs)
      missing[from].assign(begin + static_cast<std::ptrdiff_t>(have), begin + static_cast<std::ptrdiff_t>(theirs));
  }
  Lengths lengths;
  for (const auto& log : missing) lengths.push_back(log.size());
  for (const core::Operation* each : interleaved(missing, lengths, seed)) {
    if (count-- == 0) return;
    apply(replicas[device].state, *each);
    ++known[device][each->id.device.bytes.back() - 1u];
  }
}

}  // namespace fieldsync::testing
