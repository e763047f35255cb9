#include "core/edit.h"

#include <algorithm>

namespace fieldsync::core {
namespace {

// Wraps: counts come from other devices too.
std::int64_t sum(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) + static_cast<std::uint64_t>(right));
}

std::int64_t difference(std::int64_t left, std::int64_t right) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(left) - static_cast<std::uint64_t>(right));
}

std::vector<ValueId> all_of(const FieldBase& base) {
  std::vector<ValueId> ids;
  for (const Sibling& sibling : base.siblings) ids.push_back(sibling.id);
  return ids;
}

// An emptied count is none.
std::int64_t count_in(const Value& value) {
  const auto* count = std::get_if<std::int64_t>(&value);
  return count == nullptr ? 0 : *count;
}

// Emptied places and equal elements: an add takes their place.
std::vector<ValueId> taken_up_by(const FieldBase& base, const Value& value) {
  std::vector<ValueId> ids;
  for (const Sibling& sibling : base.siblings) {
    if (sibling.value == value || std::holds_alternative<Empty>(sibling.value)) ids.push_back(sibling.id);
  }
  return ids;
}

}  // namespace

FieldBase open_field(const RecordState& state, const FieldKey& key, const Writer& writer) {
  FieldBase base;
  base.key = key;
  const auto siblings = state.siblings(key);
  base.siblings.assign(siblings.begin(), siblings.end());
  if (siblings.empty()) return base;
  const Value& shown = state.shown_order(key).front()->value;
  for (const Sibling& sibling : siblings) {
    if (sibling.value == shown) base.shown.push_back(sibling.id);
    if (state.stamp_of(sibling.id.operation).author == writer.person) base.own_author.push_back(sibling.id);
    if (sibling.id.operation.device != writer.device) continue;
    base.own_device.push_back(sibling.id);
    if (const auto* count = std::get_if<std::int64_t>(&sibling.value)) base.own_count = sum(base.own_count, *count);
  }
  return base;
}

FieldWrite write_field(const FieldBase& base, const FormField* field, Value value) {
  const MergePolicy policy = field == nullptr ? MergePolicy::keep_siblings : field->policy;
  FieldWrite write{base.key, std::move(value), {}};
  switch (policy) {
    case MergePolicy::keep_siblings: write.replaces = base.shown; break;
    case MergePolicy::max:
    case MergePolicy::min:
    case MergePolicy::any:
    case MergePolicy::most_restrictive: write.replaces = all_of(base); break;
    case MergePolicy::per_author: write.replaces = base.own_author; break;
    case MergePolicy::append: break;
    case MergePolicy::set: write.replaces = taken_up_by(base, write.value); break;
    case MergePolicy::counter:
      write.replaces = base.own_device;
      if (const auto* added = std::get_if<std::int64_t>(&write.value)) {
        write.value = sum(base.own_count, *added);
      }
      break;
  }
  return write;
}

FieldWrite resolve_field(const FieldBase& base, Value value) { return {base.key, std::move(value), all_of(base)}; }

void name_beneath(FieldWrite& write, const Operation& earlier) {
  const auto names = [&](const ValueId& id) {
    return std::find(write.replaces.begin(), write.replaces.end(), id) != write.replaces.end();
  };
  for (std::size_t i = 0; i < earlier.writes.size(); ++i) {
    const FieldWrite& over = earlier.writes[i];
    if (over.key != write.key || !names({earlier.id, place_of_write(earlier, i)})) continue;
    for (const ValueId& beneath : over.replaces) {
      if (!names(beneath)) write.replaces.push_back(beneath);
    }
  }
  std::sort(write.replaces.begin(), write.replaces.end());
  const auto own = [&](const ValueId& id) { return id.operation.device == earlier.id.device; };
  const auto oldest = std::find_if(write.replaces.begin(), write.replaces.end(), own);
  const auto newest_end = std::find_if_not(oldest, write.replaces.end(), own);
  const std::ptrdiff_t excess = newest_end - oldest - static_cast<std::ptrdiff_t>(named_by_count_max);
  if (excess > 0) write.replaces.erase(oldest + 1, oldest + 1 + excess);
}

FieldWrite count_further(FieldWrite pending, const Value& value) {
  if (const auto* added = std::get_if<std::int64_t>(&value)) {
    pending.value = sum(count_in(pending.value), *added);
  } else {
    pending.value = value;
  }
  return pending;
}

FieldWrite count_on(FieldWrite write, const FieldBase& before, const FieldBase& now) {
  if (std::holds_alternative<SealedValue>(write.value)) return write;
  const std::int64_t meanwhile = difference(now.own_count, before.own_count);
  if (meanwhile != 0) write = count_further(std::move(write), meanwhile);
  std::erase_if(write.replaces, [&](const ValueId& id) {
    return std::find(before.own_device.begin(), before.own_device.end(), id) != before.own_device.end();
  });
  write.replaces.insert(write.replaces.end(), now.own_device.begin(), now.own_device.end());
  std::sort(write.replaces.begin(), write.replaces.end());
  return write;
}

std::optional<FieldWrite> remove_value(const FieldBase& base, const Value& value) {
  FieldWrite write{base.key, Empty{}, {}};
  bool found = false;
  for (const Sibling& sibling : base.siblings) {
    found = found || sibling.value == value;
    if (sibling.value == value || std::holds_alternative<Empty>(sibling.value)) write.replaces.push_back(sibling.id);
  }
  if (!found) return std::nullopt;
  return write;
}

FieldWrite delete_write(const RecordState& state, const ItemId& item) {
  FieldWrite write{{item, existence_field}, Deletion{state.seen}, {}};
  for (const Sibling& sibling : state.siblings(write.key)) write.replaces.push_back(sibling.id);
  return write;
}

FieldWrite restore_write(const RecordState& state, const ItemId& item) {
  FieldWrite write{{item, existence_field}, Empty{}, {}};
  for (const Sibling& sibling : state.siblings(write.key)) write.replaces.push_back(sibling.id);
  return write;
}

}  // namespace fieldsync::core
