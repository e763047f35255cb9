#include "codec/record_codec.h"

#include <algorithm>

#include "codec/value_codec.h"
#include "codec/wire_reader.h"
#include "core/form.h"
#include "fieldsync/v1/record.pb.h"

namespace fieldsync::codec {
namespace {

using core::FieldState;
using core::RecordState;
using core::Sibling;

Error damaged(const char* what) {
  return {Errc::malformed_request, std::string("A record's state could not be read: ") + what};
}

// Place of `id` in a sorted list.
template <typename List, typename Key, typename Projection>
std::uint32_t place_of(const List& list, const Key& key, Projection projection) {
  const auto at = std::lower_bound(list.begin(), list.end(), key,
                                   [&](const auto& entry, const Key& wanted) { return projection(entry) < wanted; });
  FIELDSYNC_CHECK(at != list.end() && projection(*at) == key, "what is named is in the list");
  return static_cast<std::uint32_t>(at - list.begin());
}

// RecordBody and ChangedFields hold their entries alike.
constexpr std::uint32_t entries_field = v1::RecordBody::kEntriesFieldNumber;
static_assert(entries_field == v1::ChangedFields::kEntriesFieldNumber);

void write_entries(WireWriter& out, const FieldState& field, const RecordState& state) {
  for (const Sibling& sibling : field.siblings) {
    const std::size_t mark = out.begin(entries_field);
    if (!field.key.item.is_none()) out.bytes(v1::Entry::kItemFieldNumber, field.key.item.view());
    out.number_unless_0(v1::Entry::kFieldFieldNumber, field.key.field);
    // Most records have one operation.
    const std::uint32_t stamp = state.stamps.size() == 1
                                    ? 0
                                    : place_of(state.stamps, sibling.id.operation,
                                               [](const core::StampedOperation& stamped) { return stamped.id; });
    out.number_unless_0(v1::Entry::kStampFieldNumber, stamp);
    write_value(out, v1::Entry::kValueFieldNumber, sibling.value);
    out.number_unless_0(v1::Entry::kPlaceFieldNumber, sibling.id.place);
    out.end(mark);
  }
}

void write_stamp(WireWriter& out, const core::StampedOperation& stamped, std::uint32_t device) {
  using Wire = v1::Stamp;
  const std::size_t mark = out.begin(v1::RecordHead::kStampsFieldNumber);
  out.number_unless_0(Wire::kDeviceFieldNumber, device);
  out.number_unless_0(Wire::kCounterFieldNumber, stamped.id.counter);
  out.bytes(Wire::kAuthorFieldNumber, stamped.stamp.author.view());
  out.zigzag_unless_0(Wire::kClaimedTimeMsFieldNumber, stamped.stamp.claimed.ms);
  out.zigzag_unless_0(Wire::kEffectiveTimeMsFieldNumber, stamped.stamp.effective.ms);
  out.zigzag_unless_0(Wire::kReceivedTimeMsFieldNumber, stamped.stamp.received.ms);
  out.number_unless_0(Wire::kSeqFieldNumber, stamped.stamp.seq);
  out.number_unless_0(Wire::kMachineFieldNumber, stamped.stamp.machine ? 1 : 0);
  out.end(mark);
}

void write_awaited(WireWriter& out, const core::Awaited& awaited) {
  using Wire = v1::Awaited;
  const std::size_t mark = out.begin(v1::RecordHead::kAwaitedFieldNumber);
  if (!awaited.key.item.is_none()) out.bytes(Wire::kItemFieldNumber, awaited.key.item.view());
  out.number_unless_0(Wire::kFieldFieldNumber, awaited.key.field);
  out.bytes(Wire::kDeviceFieldNumber, awaited.value.operation.device.view());
  out.number_unless_0(Wire::kCounterFieldNumber, awaited.value.operation.counter);
  out.zigzag_unless_0(Wire::kNotAfterMsFieldNumber, awaited.not_after.ms);
  out.number_unless_0(Wire::kPlaceFieldNumber, awaited.value.place);
  out.end(mark);
}

template <typename Id>
bool take_id(WireReader& field, Id& id) {
  const auto read = Id::from_bytes(field.bytes());
  if (!field.once(WireType::bytes) || !read || read->is_none()) return false;
  id = *read;
  return true;
}

template <typename Number>
bool take_number(WireReader& field, Number& number) {
  number = static_cast<Number>(field.number());
  return field.once_not_default(WireType::varint) && field.number() == number;
}

bool take_instant(WireReader& field, core::Instant& instant) {
  instant = {field.zigzag()};
  return field.once_not_default(WireType::varint);
}

// Reads a message by handing each of its fields to `take`, which says whether it is in order.
template <typename Take>
bool read_fields(std::string_view bytes, Take take) {
  WireReader reader(bytes);
  while (reader.next()) {
    if (!take(reader)) return false;
  }
  return !reader.failed();
}

bool read_stamp(std::string_view bytes, RecordState& state) {
  using Wire = v1::Stamp;
  std::uint32_t device = 0;
  core::StampedOperation& stamped = state.stamps.emplace_back();
  core::Stamp& stamp = stamped.stamp;
  const bool read = read_fields(bytes, [&](WireReader& field) {
    switch (field.field()) {
      case Wire::kDeviceFieldNumber: return take_number(field, device);
      case Wire::kCounterFieldNumber: return take_number(field, stamped.id.counter);
      case Wire::kAuthorFieldNumber: return take_id(field, stamp.author);
      case Wire::kClaimedTimeMsFieldNumber: return take_instant(field, stamp.claimed);
      case Wire::kEffectiveTimeMsFieldNumber: return take_instant(field, stamp.effective);
      case Wire::kReceivedTimeMsFieldNumber: return take_instant(field, stamp.received);
      case Wire::kSeqFieldNumber: return take_number(field, stamp.seq);
      case Wire::kMachineFieldNumber: return take_number(field, stamp.machine);
      default: return false;
    }
  });
  if (!read || stamp.author.is_none() || device >= state.seen.newest.size()) return false;
  stamped.id.device = state.seen.newest[device].device;
  return true;
}

bool read_awaited(std::string_view bytes, RecordState& state) {
  using Wire = v1::Awaited;
  core::Awaited& awaited = state.awaited.emplace_back();
  const bool read = read_fields(bytes, [&](WireReader& field) {
    switch (field.field()) {
      case Wire::kItemFieldNumber: return take_id(field, awaited.key.item);
      case Wire::kFieldFieldNumber: return take_number(field, awaited.key.field);
      case Wire::kDeviceFieldNumber: return take_id(field, awaited.value.operation.device);
      case Wire::kCounterFieldNumber: return take_number(field, awaited.value.operation.counter);
      case Wire::kNotAfterMsFieldNumber: return take_instant(field, awaited.not_after);
      case Wire::kPlaceFieldNumber: return take_number(field, awaited.value.place);
      default: return false;
    }
  });
  return read && !awaited.value.operation.device.is_none();
}

template <typename List>
bool ascends(const List& list) {
  return std::adjacent_find(list.begin(), list.end(),
                            [](const auto& left, const auto& right) { return !(left < right); }) == list.end();
}

// What the head's fields say by standing beside each other.
Result<void> check_head(const RecordState& state) {
  if (state.id.is_none() || state.scope.is_none()) return damaged("it names no record or scope.");
  if (!core::is_name(state.form)) return damaged("it names no form.");
  const auto device_order = [](const core::OperationId& left, const core::OperationId& right) {
    return !(left.device < right.device);
  };
  if (std::adjacent_find(state.seen.newest.begin(), state.seen.newest.end(), device_order) != state.seen.newest.end()) {
    return damaged("its devices are not sorted.");
  }
  const auto stamp_order = [](const core::StampedOperation& left, const core::StampedOperation& right) {
    return !(left.id < right.id);
  };
  if (std::adjacent_find(state.stamps.begin(), state.stamps.end(), stamp_order) != state.stamps.end()) {
    return damaged("its stamps are not sorted.");
  }
  if (!ascends(state.awaited)) return damaged("what it awaits is not sorted.");
  const auto has_arrived = [&](const core::Awaited& awaited) { return state.seen.covers(awaited.value.operation); };
  if (std::any_of(state.awaited.begin(), state.awaited.end(), has_arrived))
    return damaged("it awaits what has arrived.");
  const auto not_seen = [&](const core::StampedOperation& stamped) { return !state.seen.covers(stamped.id); };
  if (std::any_of(state.stamps.begin(), state.stamps.end(), not_seen))
    return damaged("a stamp's operation was not seen.");
  return {};
}

Result<void> read_entry(std::string_view bytes, RecordState& state) {
  using Wire = v1::Entry;
  core::FieldKey key;
  std::uint32_t stamp = 0;
  std::uint32_t place = 0;
  std::string_view value_bytes;
  const bool read = read_fields(bytes, [&](WireReader& field) {
    switch (field.field()) {
      case Wire::kItemFieldNumber: return take_id(field, key.item);
      case Wire::kFieldFieldNumber: return take_number(field, key.field);
      case Wire::kStampFieldNumber: return take_number(field, stamp);
      case Wire::kValueFieldNumber: value_bytes = field.bytes(); return field.once(WireType::bytes);
      case Wire::kPlaceFieldNumber: return take_number(field, place);
      default: return false;
    }
  });
  if (!read) return damaged("an entry is not as it should be.");
  if (stamp >= state.stamps.size()) return damaged("an entry names no operation.");
  std::size_t elements = 0;
  auto value = read_value(value_bytes, elements);
  if (!value || !holds_valid_text(*value)) return damaged("an entry holds no value.");
  if (state.fields.empty() || state.fields.back().key != key) {
    if (!state.fields.empty() && key < state.fields.back().key) return damaged("its fields are not sorted.");
    state.fields.push_back({key, {}});
  }
  auto& siblings = state.fields.back().siblings;
  const core::ValueId id{state.stamps[stamp].id, place};
  if (!siblings.empty() && !(siblings.back().id < id)) return damaged("its siblings are not sorted.");
  siblings.push_back({id, std::move(*value)});
  return {};
}

Result<void> read_entries(std::string_view bytes, RecordState& state) {
  WireReader reader(bytes);
  while (reader.next()) {
    if (reader.field() != entries_field || reader.type() != WireType::bytes)
      return damaged("it holds more than entries.");
    if (auto read = read_entry(reader.bytes(), state); !read) return read;
  }
  if (reader.failed()) return damaged("its values are not a message.");
  return {};
}

bool names_every_stamp(const RecordState& state) {
  std::vector<core::OperationId> named;
  for (const FieldState& field : state.fields) {
    for (const Sibling& sibling : field.siblings) named.push_back(sibling.id.operation);
  }
  std::sort(named.begin(), named.end());
  return std::all_of(state.stamps.begin(), state.stamps.end(), [&](const core::StampedOperation& stamped) {
    return std::binary_search(named.begin(), named.end(), stamped.id);
  });
}

}  // namespace

std::string encode_head(const RecordState& state) {
  using Wire = v1::RecordHead;
  WireWriter out;
  out.bytes(Wire::kRecordFieldNumber, state.id.view());
  out.bytes(Wire::kScopeFieldNumber, state.scope.view());
  out.bytes_unless_empty(Wire::kFormFieldNumber, state.form);
  for (const core::OperationId& seen : state.seen.newest) out.bytes(Wire::kSeenDeviceFieldNumber, seen.device.view());
  if (!state.seen.newest.empty()) {
    const std::size_t counters = out.begin(Wire::kSeenCounterFieldNumber);
    for (const core::OperationId& seen : state.seen.newest) out.packed(seen.counter);
    out.end(counters);
  }
  for (const core::StampedOperation& stamped : state.stamps) {
    write_stamp(out, stamped, place_of(state.seen.newest, stamped.id.device, [](const core::OperationId& seen) {
                  return seen.device;
                }));
  }
  for (const core::Awaited& awaited : state.awaited) write_awaited(out, awaited);
  return out.take();
}

std::string encode_body(const RecordState& state) {
  WireWriter out;
  for (const FieldState& field : state.fields) write_entries(out, field, state);
  return out.take();
}

EncodedRecord encode_record(const RecordState& state) { return {encode_head(state), encode_body(state)}; }

Result<RecordState> decode_head(std::string_view head) {
  using Wire = v1::RecordHead;
  RecordState state;
  std::vector<std::uint64_t> counters;
  std::size_t elements = 0;
  const bool read = read_fields(head, [&](WireReader& field) {
    switch (field.field()) {
      case Wire::kRecordFieldNumber: return take_id(field, state.id);
      case Wire::kScopeFieldNumber: return take_id(field, state.scope);
      case Wire::kFormFieldNumber: state.form = field.bytes(); return field.once_not_default(WireType::bytes);
      case Wire::kSeenDeviceFieldNumber: {
        const auto device = core::DeviceId::from_bytes(field.bytes());
        if (device) state.seen.newest.push_back({*device, 0});
        return field.type() == WireType::bytes && device.has_value();
      }
      case Wire::kSeenCounterFieldNumber: return read_numbers(field, counters, elements);
      case Wire::kStampsFieldNumber: return field.type() == WireType::bytes && read_stamp(field.bytes(), state);
      case Wire::kAwaitedFieldNumber: return field.type() == WireType::bytes && read_awaited(field.bytes(), state);
      default: return false;
    }
  });
  if (!read) return damaged("its head is not as it should be.");
  if (state.seen.newest.size() != counters.size()) return damaged("its lists differ in length.");
  for (std::size_t i = 0; i < counters.size(); ++i) state.seen.newest[i].counter = counters[i];
  if (auto checked = check_head(state); !checked) return checked.error();
  return state;
}

Result<RecordState> decode_record(std::string_view head, std::string_view body) {
  auto state = decode_head(head);
  if (!state) return state;
  if (auto read = read_entries(body, *state); !read) return read.error();
  if (!names_every_stamp(*state)) return damaged("a stamp belongs to no value.");
  return state;
}

std::string encode_changed_fields(const RecordState& state, std::uint64_t cursor) {
  WireWriter out;
  for (const FieldState& field : state.fields) {
    const bool changed = std::any_of(field.siblings.begin(), field.siblings.end(), [&](const Sibling& sibling) {
      return state.stamp_of(sibling.id.operation).seq > cursor;
    });
    if (changed) write_entries(out, field, state);
  }
  return out.take();
}

Result<RecordState> apply_changed_fields(const RecordState& state, std::string_view head,
                                         std::string_view changed_fields) {
  auto merged = decode_head(head);
  if (!merged) return merged;
  if (auto read = read_entries(changed_fields, *merged); !read) return read.error();
  const std::vector<FieldState> changed = merged->fields;
  for (const FieldState& field : state.fields) {
    const bool replaced =
        std::any_of(changed.begin(), changed.end(), [&](const FieldState& other) { return other.key == field.key; });
    if (!replaced) merged->fields.push_back(field);
  }
  std::sort(merged->fields.begin(), merged->fields.end(),
            [](const FieldState& left, const FieldState& right) { return left.key < right.key; });
  for (const FieldState& field : merged->fields) {
    for (const Sibling& sibling : field.siblings) {
      if (merged->find_stamp(sibling.id.operation) == nullptr)
        return damaged("a value's operation is not in its head.");
    }
  }
  if (!names_every_stamp(*merged)) return damaged("a stamp belongs to no value.");
  return merged;
}

}  // namespace fieldsync::codec
