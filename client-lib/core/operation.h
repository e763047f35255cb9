// operation.h: one save of one record by one device.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/id.h"
#include "core/time.h"
#include "core/value.h"

namespace fieldsync::core {

enum class OperationKind : std::uint8_t { edit, finalise };
enum class OperationOrigin : std::uint8_t { person, machine };

// One field's new value. `replaces` names the values of this field that the
// person had on the screen on opening it, and no others.
struct FieldWrite {
  FieldKey key;
  Value value;
  std::vector<ValueId> replaces;

  bool operator==(const FieldWrite&) const = default;
};

struct Operation {
  OperationId id;
  RecordId record;
  ScopeId scope;
  std::string form;
  OperationKind kind = OperationKind::edit;
  OperationOrigin origin = OperationOrigin::person;
  // The person that the device is bound to. Never read from the wire.
  PersonId author;
  Instant claimed;
  std::vector<FieldWrite> writes;
  // Of what finalises: as they came, not checked yet.
  std::string edition_digest;
  std::string edition_signature;

  bool operator==(const Operation&) const = default;
};

// How many earlier writes of the operation go to the same field: the place by
// which other operations name this write's value.
[[nodiscard]] std::uint32_t place_of_write(const Operation& operation, std::size_t index);

// What is known of an operation once the server has committed it. On a device,
// its own unsent operations have a provisional stamp with seq 0.
struct Stamp {
  PersonId author;
  Instant claimed;
  Instant effective;
  Instant received;
  std::uint64_t seq = 0;
  bool machine = false;

  bool operator==(const Stamp&) const = default;
};

}  // namespace fieldsync::core
