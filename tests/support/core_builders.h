// core_builders.h: short ways to write ids, operations, replicas and a form, so
// that a test shows only what it is about.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/edit.h"
#include "core/field_view.h"
#include "core/form.h"
#include "core/record_state.h"
#include "core/result.h"
#include "support/core_show.h"

namespace fieldsync::testing {

// Ids that differ in their last byte: device(1) < device(2). None of them is none.
template <typename AnyId>
AnyId id_of(int number) {
  AnyId id;
  id.bytes.front() = 0x11;
  id.bytes.back() = static_cast<std::uint8_t>(number);
  return id;
}
inline core::DeviceId device(int number) { return id_of<core::DeviceId>(number); }
inline core::PersonId person(int number) { return id_of<core::PersonId>(number); }
inline core::RecordId record(int number) { return id_of<core::RecordId>(number); }
inline core::ScopeId scope(int number) { return id_of<core::ScopeId>(number); }
// item(0) is none: the record itself.
inline core::ItemId item(int number) { return number == 0 ? core::ItemId{} : id_of<core::ItemId>(number); }

inline core::OperationId op_id(int device_number, std::uint64_t counter) { return {device(device_number), counter}; }
inline core::ValueId value_id(int device_number, std::uint64_t counter, std::uint32_t place = 0) {
  return {op_id(device_number, counter), place};
}
inline core::FieldKey key(std::uint32_t field, int item_number = 0) { return {item(item_number), field}; }

inline core::Value text(std::string content) { return core::Value{std::move(content)}; }
inline core::Value integer(std::int64_t number) { return core::Value{number}; }
inline core::Value choice(std::string code) { return core::Value{core::Choice{std::move(code)}}; }
inline core::Value date(std::int32_t days) { return core::Value{core::Date{days}}; }
inline core::Value yes() { return core::Value{true}; }
inline core::Value no() { return core::Value{false}; }
inline core::Value empty() { return core::Value{core::Empty{}}; }

inline core::FieldWrite sets(core::FieldKey where, core::Value value, std::vector<core::ValueId> replaces = {}) {
  return {where, std::move(value), std::move(replaces)};
}

// Of record(1) in scope(1), form "visit", by the person who has the device's number.
inline core::Operation operation(core::OperationId id, std::vector<core::FieldWrite> writes,
                                 std::int64_t claimed_ms = 0) {
  core::Operation made;
  made.id = id;
  made.record = record(1);
  made.scope = scope(1);
  made.form = "visit";
  made.author = id_of<core::PersonId>(id.device.bytes.back());
  made.claimed = {claimed_ms};
  made.writes = std::move(writes);
  return made;
}

// As if every clock were right: all times are the claimed one.
inline core::Stamp honest_stamp(const core::Operation& operation) {
  core::Stamp stamp;
  stamp.author = operation.author;
  stamp.claimed = stamp.effective = stamp.received = operation.claimed;
  return stamp;
}

inline bool apply(core::RecordState& state, const core::Operation& operation) {
  return state.apply(operation, honest_stamp(operation));
}

inline core::RecordState state_of(std::span<const core::Operation> operations) {
  core::RecordState state;
  for (const core::Operation& each : operations) apply(state, each);
  return state;
}
inline core::RecordState state_of(std::initializer_list<core::Operation> operations) {
  return state_of(std::span(operations.begin(), operations.size()));
}

// A form "visit" with one field of every merge policy.
namespace fields {
inline constexpr std::uint32_t place_name = 1;   // text, a register
inline constexpr std::uint32_t beds = 2;         // integer, a register, 0 to 500
inline constexpr std::uint32_t languages = 3;    // text, a set
inline constexpr std::uint32_t severity = 4;     // choice, max: low, middle, high
inline constexpr std::uint32_t first_seen = 5;   // date, min
inline constexpr std::uint32_t at_risk = 6;      // boolean, any
inline constexpr std::uint32_t consent = 7;      // choice, most restrictive: open, team, withdrawn
inline constexpr std::uint32_t verdict = 8;      // text, per author
inline constexpr std::uint32_t follow_up = 9;    // text, append
inline constexpr std::uint32_t head_count = 10;  // integer, a counter
inline constexpr std::uint32_t interviews = 11;  // a group
inline constexpr std::uint32_t answer = 12;      // text in an interview, a register
inline constexpr std::uint32_t unknown = 900;    // not in the form
}  // namespace fields

inline core::FormField form_field(std::uint32_t number, std::string name, core::FieldType type,
                                  core::MergePolicy policy = core::MergePolicy::keep_siblings) {
  core::FormField field;
  field.number = number;
  field.name = std::move(name);
  field.type = type;
  field.policy = policy;
  return field;
}

inline core::FormField choice_field(std::uint32_t number, std::string name, core::MergePolicy policy,
                                    std::initializer_list<const char*> codes) {
  core::FormField field = form_field(number, std::move(name), core::FieldType::choice, policy);
  for (const char* code : codes) field.choices.push_back({code, {}});
  return field;
}

inline core::Form visit_form() {
  using core::FieldType;
  using core::MergePolicy;
  core::Form form;
  form.name = "visit";
  form.version = 1;
  form.fields = {
      form_field(fields::place_name, "place_name", FieldType::text),
      form_field(fields::beds, "beds", FieldType::integer),
      form_field(fields::languages, "languages", FieldType::text, MergePolicy::set),
      choice_field(fields::severity, "severity", MergePolicy::max, {"low", "middle", "high"}),
      form_field(fields::first_seen, "first_seen", FieldType::date, MergePolicy::min),
      form_field(fields::at_risk, "at_risk", FieldType::boolean, MergePolicy::any),
      choice_field(fields::consent, "consent", MergePolicy::most_restrictive, {"open", "team", "withdrawn"}),
      form_field(fields::verdict, "verdict", FieldType::text, MergePolicy::per_author),
      form_field(fields::follow_up, "follow_up", FieldType::text, MergePolicy::append),
      form_field(fields::head_count, "head_count", FieldType::integer, MergePolicy::counter),
      form_field(fields::interviews, "interviews", FieldType::group),
      form_field(fields::answer, "answer", FieldType::text),
  };
  form.fields[1].range = core::Range{0, 500};
  form.fields[11].group = fields::interviews;
  return form;
}

// A person at a device, with their own replica of record(1).
class Replica {
 public:
  explicit Replica(int number) : Replica(number, number) {}
  Replica(int device_number, int person_number) : writer{device(device_number), person(person_number)} {}

  core::RecordState state;
  core::Writer writer;
  std::int64_t clock_ms = 0;

  // What is on the screen now.
  [[nodiscard]] core::FieldBase open(core::FieldKey where) const { return core::open_field(state, where, writer); }

  // Saves `writes` as this device's next operation, which it sees at once.
  core::Operation save(std::vector<core::FieldWrite> writes) {
    core::Operation saved = operation({writer.device, ++counter_}, std::move(writes), clock_ms);
    saved.author = writer.person;
    apply(state, saved);
    return saved;
  }

  // Opens the field, types `value` and saves at once.
  core::Operation type(core::FieldKey where, core::Value value) {
    return save({core::write_field(open(where), form_.find(where.field), std::move(value))});
  }

  // The same with the screen as it was when `base` was taken.
  core::Operation type_over(const core::FieldBase& base, core::Value value) {
    return save({core::write_field(base, form_.find(base.key.field), std::move(value))});
  }

  void pull(std::initializer_list<core::Operation> operations) {
    for (const core::Operation& each : operations) apply(state, each);
  }

  // The values on the screen, first the one that counts.
  [[nodiscard]] std::vector<core::Value> shown(core::FieldKey where) const {
    std::vector<core::Value> values;
    for (const auto& entry : view(where).shown) values.push_back(entry.value);
    return values;
  }
  [[nodiscard]] bool in_conflict(core::FieldKey where) const { return view(where).conflict; }

 private:
  [[nodiscard]] core::FieldView view(core::FieldKey where) const {
    return core::view_field(state, where, form_.find(where.field));
  }

  core::Form form_ = visit_form();
  std::uint64_t counter_ = 0;
};

// "accepted", or the name of the refusal.
inline std::string_view verdict_on(const Result<void>& result) {
  return result ? std::string_view("accepted") : describe(result.error().code).name;
}

using Values = std::vector<core::Value>;

}  // namespace fieldsync::testing
