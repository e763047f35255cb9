// core_show.h: how Catch and RapidCheck print what the core holds. Included by
// core_builders.h.
#pragma once

#include <ostream>
#include <type_traits>

#include "core/record_state.h"

namespace fieldsync::core {

inline std::ostream& operator<<(std::ostream& out, const OperationId& id) {
  return out << int{id.device.bytes.back()} << '.' << id.counter;
}

inline std::ostream& operator<<(std::ostream& out, const ValueId& id) {
  out << id.operation;
  return id.place == 0 ? out : out << '/' << id.place;
}

inline std::ostream& operator<<(std::ostream& out, Instant at) { return out << at.ms << " ms"; }
inline std::ostream& operator<<(std::ostream& out, Milliseconds span) { return out << span.count << " ms"; }

inline std::ostream& operator<<(std::ostream& out, const FieldKey& key) {
  out << key.field;
  return key.item.is_none() ? out : out << '@' << int{key.item.bytes.back()};
}

inline std::ostream& operator<<(std::ostream& out, const SeenVector& seen) {
  for (const OperationId& newest : seen.newest) out << ' ' << newest;
  return out;
}

inline std::ostream& operator<<(std::ostream& out, const Value& value) {
  std::visit(
      [&](const auto& content) {
        using Content = std::decay_t<decltype(content)>;
        if constexpr (std::is_arithmetic_v<Content>)
          out << content;
        else if constexpr (std::is_same_v<Content, std::string>)
          out << '"' << content << '"';
        else if constexpr (std::is_same_v<Content, Empty>)
          out << "empty";
        else if constexpr (std::is_same_v<Content, Choice>)
          out << content.code;
        else if constexpr (std::is_same_v<Content, Date>)
          out << "day " << content.days;
        else if constexpr (std::is_same_v<Content, Deletion>)
          out << "deleted, seen" << content.seen;
        else
          out << "value of kind " << Value(content).index();
      },
      value);
  return out;
}

inline std::ostream& operator<<(std::ostream& out, const FieldWrite& write) {
  out << write.key << " := " << write.value;
  for (const ValueId& id : write.replaces) out << " -" << id;
  return out;
}

inline std::ostream& operator<<(std::ostream& out, const Operation& operation) {
  out << operation.id << " at " << operation.claimed << " {";
  for (const FieldWrite& write : operation.writes) out << ' ' << write << ';';
  return out << " }";
}

inline std::ostream& operator<<(std::ostream& out, const FieldState& field) {
  out << field.key << ':';
  for (const Sibling& sibling : field.siblings) out << ' ' << sibling.value << " by " << sibling.id << ',';
  return out;
}

inline std::ostream& operator<<(std::ostream& out, const Awaited& awaited) {
  return out << awaited.key << ' ' << awaited.value << " not after " << awaited.not_after;
}

inline std::ostream& operator<<(std::ostream& out, const RecordState& state) {
  out << "seen" << state.seen;
  for (const FieldState& field : state.fields) out << "\n  " << field;
  for (const StampedOperation& stamped : state.stamps) out << "\n  " << stamped.id << " at " << stamped.stamp.effective;
  for (const Awaited& awaited : state.awaited) out << "\n  awaits " << awaited;
  return out << '\n';
}

}  // namespace fieldsync::core
