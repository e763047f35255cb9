#include "storage/renaming.h"

#include <algorithm>

#include "storage/stamper.h"

namespace fieldsync::storage {
namespace {

// Where the value stands already, nothing happens.
void add_value(core::RecordState& state, const core::FieldKey& key, core::Sibling value, const core::Stamp& stamp) {
  const auto field =
      std::lower_bound(state.fields.begin(), state.fields.end(), key,
                       [](const core::FieldState& entry, const core::FieldKey& wanted) { return entry.key < wanted; });
  const bool is_new = field == state.fields.end() || field->key != key;
  core::Siblings& siblings = (is_new ? state.fields.insert(field, {key, {}}) : field)->siblings;
  const auto place =
      std::lower_bound(siblings.begin(), siblings.end(), value.id,
                       [](const core::Sibling& entry, const core::ValueId& wanted) { return entry.id < wanted; });
  if (place != siblings.end() && place->id == value.id) return;
  const core::OperationId by = value.id.operation;
  siblings.insert(place, std::move(value));
  if (state.find_stamp(by) != nullptr) return;
  const auto before = std::lower_bound(
      state.stamps.begin(), state.stamps.end(), by,
      [](const core::StampedOperation& entry, const core::OperationId& wanted) { return entry.id < wanted; });
  state.stamps.insert(before, {by, stamp});
}

}  // namespace

core::OperationId Renaming::name_of(const core::OperationId& id) const {
  return concerns(id) ? core::OperationId{anew_, id.counter - first_ + 1} : id;
}

// What was seen of the former id is seen of both.
core::SeenVector Renaming::name_of(const core::SeenVector& seen) const {
  core::SeenVector renamed;
  for (const core::OperationId& id : seen.newest) {
    renamed.add(name_of(id));
    if (concerns(id) && first_ > 1) renamed.add({former_, first_ - 1});
  }
  return renamed;
}

void Renaming::note_kept(const core::Operation& operation) {
  for (std::size_t i = 0; i < operation.writes.size(); ++i) {
    const core::FieldWrite& write = operation.writes[i];
    const auto* sum = std::get_if<std::int64_t>(&write.value);
    const core::ValueId id{operation.id, core::place_of_write(operation, i)};
    if (sum != nullptr) counts_[{operation.record, write.key, id}] = {id, *sum, write.replaces};
  }
}

void Renaming::rename(core::Operation& operation, const core::Form* form) {
  operation.id = name_of(operation.id);
  for (std::size_t i = 0; i < operation.writes.size(); ++i) {
    core::FieldWrite& write = operation.writes[i];
    for (core::ValueId& replaced : write.replaces) replaced.operation = name_of(replaced.operation);
    if (auto* deletion = std::get_if<core::Deletion>(&write.value)) deletion->seen = name_of(deletion->seen);
    const core::FormField* field = form == nullptr ? nullptr : form->find(write.key.field);
    auto* sum = std::get_if<std::int64_t>(&write.value);
    const bool counts = field != nullptr && field->policy == core::MergePolicy::counter && sum != nullptr;
    if (!counts || !continues_own(write)) continue;
    // The former id's sum stays beside the new one's, which begins at what was added since.
    CountedBefore before = counted_before(operation.record, write);
    before.over = write.replaces;
    *sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(*sum) - static_cast<std::uint64_t>(before.sum));
    std::erase_if(write.replaces, [&](const core::ValueId& replaced) {
      return replaced.operation.device == former_ && counts_.contains({operation.record, write.key, replaced});
    });
    counts_[{operation.record, write.key, {operation.id, core::place_of_write(operation, i)}}] = before;
  }
}

bool Renaming::continues_own(const core::FieldWrite& write) const {
  return std::all_of(write.replaces.begin(), write.replaces.end(), [&](const core::ValueId& replaced) {
    return replaced.operation.device == former_ || replaced.operation.device == anew_;
  });
}

Renaming::CountedBefore Renaming::counted_before(const core::RecordId& record, const core::FieldWrite& write) const {
  CountedBefore before;
  for (const core::ValueId& replaced : write.replaces) {
    const auto known = counts_.find({record, write.key, replaced});
    if (known == counts_.end() || is_held_by_another(record, write, replaced)) continue;
    before.said_by = known->second.said_by;
    before.sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(before.sum) +
                                           static_cast<std::uint64_t>(known->second.sum));
  }
  return before;
}

bool Renaming::is_held_by_another(const core::RecordId& record, const core::FieldWrite& write,
                                  const core::ValueId& value) const {
  return std::any_of(write.replaces.begin(), write.replaces.end(), [&](const core::ValueId& other) {
    const auto known = counts_.find({record, write.key, other});
    if (known == counts_.end()) return false;
    const auto& over = known->second.over;
    return std::find(over.begin(), over.end(), value) != over.end();
  });
}

core::RecordState Renaming::without_renamed(core::RecordState replica) const {
  for (core::FieldState& field : replica.fields) {
    erase_if(field.siblings, [&](const core::Sibling& sibling) { return concerns(sibling.id.operation); });
  }
  std::erase_if(replica.fields, [](const core::FieldState& field) { return field.siblings.empty(); });
  std::erase_if(replica.stamps, [&](const core::StampedOperation& stamped) { return concerns(stamped.id); });
  std::erase_if(replica.awaited, [&](const core::Awaited& awaited) { return concerns(awaited.value.operation); });
  for (core::OperationId& seen : replica.seen.newest) {
    if (concerns(seen)) seen.counter = first_ - 1;
  }
  std::erase_if(replica.seen.newest, [](const core::OperationId& seen) { return seen.counter == 0; });
  return replica;
}

void Renaming::bring_counts_back(const core::Operation& operation, core::RecordState& state) const {
  for (std::size_t i = 0; i < operation.writes.size(); ++i) {
    const core::FieldKey& key = operation.writes[i].key;
    const auto known = counts_.find({operation.record, key, {operation.id, core::place_of_write(operation, i)}});
    if (known == counts_.end() || known->second.said_by.operation.device.is_none()) continue;
    add_value(state, key, {known->second.said_by, known->second.sum}, provisional(operation));
  }
}

}  // namespace fieldsync::storage
