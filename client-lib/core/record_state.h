// record_state.h: what a record holds after any number of devices edited it.
//
// Everything here is pure: no clock, no I/O, no global state. The same set of
// operations gives the same values on a phone, on the server and in the
// simulation, in whatever order the devices' operations arrive; one device's own
// operations arrive in the order of their counters.
// The laws, checked by tests/unit/core/record_state_laws_test.cpp:
//   apply is idempotent, and commutative between devices
//   no value leaves the state unless some operation named it as replaced
//   the size of the state does not grow with the number of edits
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/id.h"
#include "core/operation.h"
#include "core/siblings.h"

namespace fieldsync::core {

// The siblings of one field, sorted by id: an order that no clock changes.
struct FieldState {
  FieldKey key;
  Siblings siblings;
  bool operator==(const FieldState&) const = default;
};

// A value that was replaced before it arrived: possible only after a
// server was restored from a backup.
struct Awaited {
  FieldKey key;
  ValueId value;
  // Effective time of what replaced it: it may not be stamped later.
  Instant not_after;

  auto operator<=>(const Awaited&) const = default;
};

struct StampedOperation {
  OperationId id;
  Stamp stamp;
  bool operator==(const StampedOperation&) const = default;
};

struct RecordState {
  RecordId id;
  ScopeId scope;
  std::string form;
  SeenVector seen;                       // sorted by device
  std::vector<StampedOperation> stamps;  // of the live siblings only, sorted by id
  std::vector<FieldState> fields;        // sorted by key, none without siblings
  std::vector<Awaited> awaited;          // sorted

  bool operator==(const RecordState&) const = default;

  // Takes up `operation`: adds its values and removes the siblings they replace.
  // An operation that was seen before changes nothing and returns false.
  // Pre: the operation is of this record, or the state is a new one.
  // Takes the operation's values: pass a copy, or move it in.
  bool apply(Operation operation, const Stamp& stamp);

  // Empty where nobody ever wrote the field.
  [[nodiscard]] std::span<const Sibling> siblings(const FieldKey& key) const;
  // Pre: `id` wrote a live sibling.
  [[nodiscard]] const Stamp& stamp_of(const OperationId& id) const;
  // Nothing where `id` has no live sibling.
  [[nodiscard]] const Stamp* find_stamp(const OperationId& id) const;

  // The siblings of a field, the one to show first at the front: greatest
  // (effective time, id).
  [[nodiscard]] std::vector<const Sibling*> shown_order(const FieldKey& key) const;

  // True where a deletion covers every live edit of the record.
  [[nodiscard]] bool hidden() const;
  [[nodiscard]] bool item_hidden(const ItemId& item) const;
  // Deletions that stand beside an edit which they had not seen: "deleted by X
  // while Y edited".
  [[nodiscard]] std::vector<const Sibling*> contested_deletions() const;
  [[nodiscard]] std::vector<const Sibling*> contested_item_deletions(const ItemId& item) const;

  // Ids of the items that hold any value, hidden ones included, in order.
  [[nodiscard]] std::vector<ItemId> items() const;

 private:
  FieldState& field_at(const FieldKey& key);
  void apply_write(FieldWrite&& write, const ValueId& id, Instant effective);
  void replace(const FieldKey& key, FieldState& field, const ValueId& value, Instant effective);
  void drop_arrived(const OperationId& id);
  void forget_unused_stamps();
};

}  // namespace fieldsync::core
