#include "codec/record_codec.h"

#include <algorithm>

#include "codec/scratch_arena.h"
#include "codec/value_codec.h"
#include "fieldsync/v1/record.pb.h"

namespace fieldsync::codec {
namespace {

using core::FieldState;
using core::RecordState;
using core::Sibling;

Error damaged(const char* what) { return {Errc::malformed_request, std::string("A record's state could not be read: ") + what}; }

// Place of `id` in a sorted list.
template <typename List, typename Key, typename Projection>
std::uint32_t place_of(const List& list, const Key& key, Projection projection) {
  const auto at = std::lower_bound(list.begin(), list.end(), key,
                                   [&](const auto& entry, const Key& wanted) { return projection(entry) < wanted; });
  FIELDSYNC_CHECK(at != list.end() && projection(*at) == key, "what is named is in the list");
  return static_cast<std::uint32_t>(at - list.begin());
}

void encode_entries(const FieldState& field, const RecordState& state, google::protobuf::RepeatedPtrField<v1::Entry>& out) {
  for (const Sibling& sibling : field.siblings) {
    v1::Entry& entry = *out.Add();
    if (!field.key.item.is_none()) entry.set_item(field.key.item.view().data(), core::ItemId::size);
    entry.set_field(field.key.field);
    // Most records have one operation.
    entry.set_stamp(state.stamps.size() == 1 ? 0 : place_of(state.stamps, sibling.id.operation,
                                                            [](const core::StampedOperation& stamped) { return stamped.id; }));
    encode_value(sibling.value, *entry.mutable_value());
    entry.set_place(sibling.id.place);
  }
}

Result<void> decode_entry(const v1::Entry& entry, RecordState& state) {
  core::FieldKey key;
  key.field = entry.field();
  if (!entry.item().empty()) {
    const auto item = core::ItemId::from_bytes(entry.item());
    if (!item) return damaged("an item id is not 16 bytes.");
    key.item = *item;
  }
  if (entry.stamp() >= state.stamps.size()) return damaged("an entry names no operation.");
  auto value = decode_value(entry.value());
  if (!value) return damaged("an entry holds no value.");
  if (state.fields.empty() || state.fields.back().key != key) {
    if (!state.fields.empty() && key < state.fields.back().key) return damaged("its fields are not sorted.");
    state.fields.push_back({key, {}});
  }
  auto& siblings = state.fields.back().siblings;
  const core::ValueId id{state.stamps[entry.stamp()].id, entry.place()};
  if (!siblings.empty() && !(siblings.back().id < id)) return damaged("its siblings are not sorted.");
  siblings.push_back({id, std::move(*value)});
  return {};
}

Result<void> decode_stamps(const v1::RecordHead& wire, RecordState& state) {
  for (const v1::Stamp& stamp : wire.stamps()) {
    const auto author = core::PersonId::from_bytes(stamp.author());
    if (!author || stamp.device() >= state.seen.newest.size()) return damaged("a stamp names no author or device.");
    state.stamps.push_back({{state.seen.newest[stamp.device()].device, stamp.counter()},
                            {*author, {stamp.claimed_time_ms()}, {stamp.effective_time_ms()}, {stamp.received_time_ms()},
                             stamp.seq(), stamp.machine()}});
    if (!state.seen.covers(state.stamps.back().id)) return damaged("a stamp's operation was not seen.");
  }
  const auto not_ascending = [](const core::StampedOperation& left, const core::StampedOperation& right) { return !(left.id < right.id); };
  if (std::adjacent_find(state.stamps.begin(), state.stamps.end(), not_ascending) != state.stamps.end()) {
    return damaged("its stamps are not sorted.");
  }
  return {};
}

Result<void> decode_awaited(const v1::RecordHead& wire, RecordState& state) {
  for (const v1::Awaited& awaited : wire.awaited()) {
    const auto device = core::DeviceId::from_bytes(awaited.device());
    core::ItemId item;
    if (!awaited.item().empty()) {
      const auto given = core::ItemId::from_bytes(awaited.item());
      if (!given) return damaged("an item id is not 16 bytes.");
      item = *given;
    }
    if (!device) return damaged("a device id is not 16 bytes.");
    core::Awaited entry{{item, awaited.field()}, {{*device, awaited.counter()}, awaited.place()}, {awaited.not_after_ms()}};
    if (!state.awaited.empty() && !(state.awaited.back() < entry)) return damaged("what it awaits is not sorted.");
    if (state.seen.covers(entry.value.operation)) return damaged("it awaits what has arrived.");
    state.awaited.push_back(entry);
  }
  return {};
}

Result<RecordState> read_head(const v1::RecordHead& wire) {
  RecordState state;
  const auto record = core::RecordId::from_bytes(wire.record());
  const auto scope = core::ScopeId::from_bytes(wire.scope());
  if (!record || !scope) return damaged("its ids are not 16 bytes.");
  state.id = *record;
  state.scope = *scope;
  state.form = wire.form();
  if (wire.seen_device_size() != wire.seen_counter_size()) return damaged("its lists differ in length.");
  for (int i = 0; i < wire.seen_device_size(); ++i) {
    const auto device = core::DeviceId::from_bytes(wire.seen_device(i));
    if (!device) return damaged("a device id is not 16 bytes.");
    if (i > 0 && !(state.seen.newest.back().device < *device)) return damaged("its devices are not sorted.");
    state.seen.newest.push_back({*device, wire.seen_counter(i)});
  }
  if (auto stamps = decode_stamps(wire, state); !stamps) return stamps.error();
  if (auto awaited = decode_awaited(wire, state); !awaited) return awaited.error();
  return state;
}

bool names_every_stamp(const v1::RecordBody& body, const RecordState& state) {
  std::vector<bool> named(state.stamps.size());
  for (const v1::Entry& entry : body.entries()) named[entry.stamp()] = true;
  return std::find(named.begin(), named.end(), false) == named.end();
}

template <typename Message>
Message* parse(ScratchArena& arena, std::string_view bytes) {
  auto& message = arena.make<Message>();
  return message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ? &message : nullptr;
}

}  // namespace

std::string encode_head(const RecordState& state) {
  ScratchArena arena;
  auto& wire = arena.make<v1::RecordHead>();
  wire.set_record(state.id.view().data(), core::RecordId::size);
  wire.set_scope(state.scope.view().data(), core::ScopeId::size);
  wire.set_form(state.form);
  for (const core::OperationId& seen : state.seen.newest) {
    wire.add_seen_device(seen.device.view().data(), core::DeviceId::size);
    wire.add_seen_counter(seen.counter);
  }
  for (const core::StampedOperation& stamped : state.stamps) {
    v1::Stamp& stamp = *wire.add_stamps();
    stamp.set_device(place_of(state.seen.newest, stamped.id.device, [](const core::OperationId& seen) { return seen.device; }));
    stamp.set_counter(stamped.id.counter);
    stamp.set_author(stamped.stamp.author.view().data(), core::PersonId::size);
    stamp.set_claimed_time_ms(stamped.stamp.claimed.ms);
    stamp.set_effective_time_ms(stamped.stamp.effective.ms);
    stamp.set_received_time_ms(stamped.stamp.received.ms);
    stamp.set_seq(stamped.stamp.seq);
    stamp.set_machine(stamped.stamp.machine);
  }
  for (const core::Awaited& awaited : state.awaited) {
    v1::Awaited& entry = *wire.add_awaited();
    if (!awaited.key.item.is_none()) entry.set_item(awaited.key.item.view().data(), core::ItemId::size);
    entry.set_field(awaited.key.field);
    entry.set_device(awaited.value.operation.device.view().data(), core::DeviceId::size);
    entry.set_counter(awaited.value.operation.counter);
    entry.set_not_after_ms(awaited.not_after.ms);
    entry.set_place(awaited.value.place);
  }
  return wire.SerializeAsString();
}

std::string encode_body(const RecordState& state) {
  ScratchArena arena;
  auto& wire = arena.make<v1::RecordBody>();
  for (const FieldState& field : state.fields) encode_entries(field, state, *wire.mutable_entries());
  return wire.SerializeAsString();
}

EncodedRecord encode_record(const RecordState& state) { return {encode_head(state), encode_body(state)}; }

Result<RecordState> decode_head(std::string_view head) {
  ScratchArena arena;
  const auto* wire = parse<v1::RecordHead>(arena, head);
  if (wire == nullptr) return damaged("its head is not a message.");
  auto state = read_head(*wire);
  if (state && encode_head(*state) != head) return damaged("its head is not canonical.");
  return state;
}

Result<RecordState> decode_record(std::string_view head, std::string_view body) {
  auto state = decode_head(head);
  if (!state) return state;
  ScratchArena arena;
  const auto* wire = parse<v1::RecordBody>(arena, body);
  if (wire == nullptr) return damaged("its body is not a message.");
  for (const v1::Entry& entry : wire->entries()) {
    if (auto decoded = decode_entry(entry, *state); !decoded) return decoded.error();
  }
  if (!names_every_stamp(*wire, *state)) return damaged("a stamp belongs to no value.");
  if (encode_body(*state) != body) return damaged("its body is not canonical.");
  return state;
}

std::string encode_changed_fields(const RecordState& state, std::uint64_t cursor) {
  ScratchArena arena;
  auto& wire = arena.make<v1::ChangedFields>();
  for (const FieldState& field : state.fields) {
    const bool changed = std::any_of(field.siblings.begin(), field.siblings.end(), [&](const Sibling& sibling) {
      return state.stamp_of(sibling.id.operation).seq > cursor;
    });
    if (changed) encode_entries(field, state, *wire.mutable_entries());
  }
  return wire.SerializeAsString();
}

Result<RecordState> apply_changed_fields(const RecordState& state, std::string_view head, std::string_view changed_fields) {
  auto merged = decode_head(head);
  if (!merged) return merged;
  ScratchArena arena;
  const auto* wire = parse<v1::ChangedFields>(arena, changed_fields);
  if (wire == nullptr) return damaged("the changed fields are not a message.");
  for (const v1::Entry& entry : wire->entries()) {
    if (auto decoded = decode_entry(entry, *merged); !decoded) return decoded.error();
  }
  const std::vector<FieldState> changed = merged->fields;
  for (const FieldState& field : state.fields) {
    const bool replaced = std::any_of(changed.begin(), changed.end(), [&](const FieldState& other) { return other.key == field.key; });
    if (!replaced) merged->fields.push_back(field);
  }
  std::sort(merged->fields.begin(), merged->fields.end(),
            [](const FieldState& left, const FieldState& right) { return left.key < right.key; });
  for (const FieldState& field : merged->fields) {
    for (const Sibling& sibling : field.siblings) {
      if (merged->find_stamp(sibling.id.operation) == nullptr) return damaged("a value's operation is not in its head.");
    }
  }
  return merged;
}

}  // namespace fieldsync::codec
