#include "core/record_state.h"

#include <algorithm>
#include <tuple>

#include "core/check.h"

namespace fieldsync::core {
namespace {

// Whether `deletion` had seen every edit of what it deletes.
bool covers_all(const Sibling& deletion, const RecordState& state, const ItemId& item, bool whole_record) {
  const auto* seen = std::get_if<Deletion>(&deletion.value);
  if (seen == nullptr) return false;
  for (const FieldState& field : state.fields) {
    if (!whole_record && field.key.item != item) continue;
    for (const Sibling& sibling : field.siblings) {
      if (&sibling == &deletion) continue;
      const bool other_deletion =
          field.key == FieldKey{item, existence_field} && std::holds_alternative<Deletion>(sibling.value);
      if (!other_deletion && !seen->seen.covers(sibling.id.operation)) return false;
    }
  }
  return true;
}

bool hidden_by_any(const RecordState& state, const ItemId& item, bool whole_record) {
  const auto existence = state.siblings({item, existence_field});
  return std::any_of(existence.begin(), existence.end(),
                     [&](const Sibling& sibling) { return covers_all(sibling, state, item, whole_record); });
}

std::vector<const Sibling*> contested(const RecordState& state, const ItemId& item, bool whole_record) {
  std::vector<const Sibling*> found;
  if (hidden_by_any(state, item, whole_record)) return found;
  for (const Sibling& sibling : state.siblings({item, existence_field})) {
    if (std::holds_alternative<Deletion>(sibling.value)) found.push_back(&sibling);
  }
  return found;
}

}  // namespace

bool RecordState::apply(Operation operation, const Stamp& stamp) {
  if (id.is_none()) {
    id = operation.record;
    scope = operation.scope;
    form = operation.form;
  }
  FIELDSYNC_CHECK(id == operation.record, "an operation is applied to the record that it names");
  if (seen.covers(operation.id)) return false;
  seen.add(operation.id);
  const StampedOperation stamped{operation.id, stamp};
  const auto at =
      std::lower_bound(stamps.begin(), stamps.end(), operation.id,
                       [](const StampedOperation& entry, const OperationId& key) { return entry.id < key; });
  stamps.insert(at, stamped);
  const bool first = fields.empty() && awaited.empty() && !operation.writes.empty();
  fields.reserve(fields.size() + operation.writes.size());
  for (std::size_t i = 0; i < operation.writes.size(); ++i) {
    const std::uint32_t place = place_of_write(operation, i);
    apply_write(std::move(operation.writes[i]), {operation.id, place}, stamp.effective);
  }
  if (!first) {
    drop_arrived(operation.id);
    forget_unused_stamps();
  }
  return true;
}

void RecordState::apply_write(FieldWrite&& write, const ValueId& value, Instant effective) {
  const bool already_replaced = std::any_of(awaited.begin(), awaited.end(), [&](const Awaited& entry) {
    return entry.key == write.key && entry.value == value;
  });
  FieldState& field = field_at(write.key);
  for (const ValueId& replaced : write.replaces) {
    if (replaced.operation != value.operation) replace(write.key, field, replaced, effective);
  }
  if (!already_replaced) {
    const auto at = std::upper_bound(field.siblings.begin(), field.siblings.end(), value,
                                     [](const ValueId& key, const Sibling& sibling) { return key < sibling.id; });
    field.siblings.insert(at, Sibling{value, std::move(write.value)});
  }
  if (field.siblings.empty()) {
    std::erase_if(fields, [&](const FieldState& candidate) { return candidate.key == write.key; });
  }
}

void RecordState::replace(const FieldKey& key, FieldState& field, const ValueId& value, Instant effective) {
  erase_if(field.siblings, [&](const Sibling& sibling) { return sibling.id == value; });
  if (seen.covers(value.operation)) return;
  const auto known = std::find_if(awaited.begin(), awaited.end(),
                                  [&](const Awaited& entry) { return entry.key == key && entry.value == value; });
  if (known != awaited.end()) {
    known->not_after = std::min(known->not_after, effective);
    return;
  }
  const Awaited entry{key, value, effective};
  awaited.insert(std::upper_bound(awaited.begin(), awaited.end(), entry), entry);
}

FieldState& RecordState::field_at(const FieldKey& key) {
  if (!fields.empty() && fields.back().key < key) {
    return fields.emplace_back(FieldState{key, {}});
  }
  const auto at = std::lower_bound(fields.begin(), fields.end(), key,
                                   [](const FieldState& field, const FieldKey& wanted) { return field.key < wanted; });
  if (at != fields.end() && at->key == key) return *at;
  return *fields.insert(at, FieldState{key, {}});
}

void RecordState::drop_arrived(const OperationId& arrived) {
  std::erase_if(awaited, [&](const Awaited& entry) {
    const OperationId& missing = entry.value.operation;
    return missing.device == arrived.device && missing.counter <= arrived.counter;
  });
}

void RecordState::forget_unused_stamps() {
  std::vector<OperationId> used;
  for (const FieldState& field : fields) {
    for (const Sibling& sibling : field.siblings) used.push_back(sibling.id.operation);
  }
  std::sort(used.begin(), used.end());
  std::erase_if(stamps, [&](const StampedOperation& stamped) {
    return !std::binary_search(used.begin(), used.end(), stamped.id);
  });
}

std::span<const Sibling> RecordState::siblings(const FieldKey& key) const {
  const auto at = std::lower_bound(fields.begin(), fields.end(), key,
                                   [](const FieldState& field, const FieldKey& wanted) { return field.key < wanted; });
  if (at == fields.end() || at->key != key) return {};
  return {at->siblings.begin(), at->siblings.end()};
}

const Stamp* RecordState::find_stamp(const OperationId& wanted) const {
  const auto at =
      std::lower_bound(stamps.begin(), stamps.end(), wanted,
                       [](const StampedOperation& entry, const OperationId& key) { return entry.id < key; });
  return at != stamps.end() && at->id == wanted ? &at->stamp : nullptr;
}

const Stamp& RecordState::stamp_of(const OperationId& wanted) const {
  const Stamp* stamp = find_stamp(wanted);
  FIELDSYNC_CHECK(stamp != nullptr, "every live sibling has a stamp");
  return *stamp;
}

std::vector<const Sibling*> RecordState::shown_order(const FieldKey& key) const {
  std::vector<const Sibling*> order;
  for (const Sibling& sibling : siblings(key)) order.push_back(&sibling);
  std::sort(order.begin(), order.end(), [&](const Sibling* left, const Sibling* right) {
    const Instant left_time = stamp_of(left->id.operation).effective;
    const Instant right_time = stamp_of(right->id.operation).effective;
    return std::tie(left_time, left->id) > std::tie(right_time, right->id);
  });
  return order;
}

bool RecordState::hidden() const { return hidden_by_any(*this, ItemId{}, true); }

bool RecordState::item_hidden(const ItemId& item) const { return hidden_by_any(*this, item, false); }

std::vector<const Sibling*> RecordState::contested_deletions() const { return contested(*this, ItemId{}, true); }

std::vector<const Sibling*> RecordState::contested_item_deletions(const ItemId& item) const {
  return contested(*this, item, false);
}

std::vector<ItemId> RecordState::items() const {
  std::vector<ItemId> found;
  for (const FieldState& field : fields) {
    if (!field.key.item.is_none() && (found.empty() || found.back() != field.key.item)) found.push_back(field.key.item);
  }
  return found;
}

}  // namespace fieldsync::core
