#include "codec/operation_codec.h"

#include <google/protobuf/io/coded_stream.h>

#include "codec/scratch_arena.h"
#include "codec/value_codec.h"
#include "codec/wire_scan.h"
#include "fieldsync/v1/operation.pb.h"

namespace fieldsync::codec {
namespace {

Error malformed(std::string_view what) {
  return {Errc::malformed_operation, "The operation could not be read: " + std::string(what)};
}

void encode_write(const core::FieldWrite& write, const core::DeviceId& sender, v1::FieldWrite& wire) {
  if (!write.key.item.is_none()) wire.set_item(write.key.item.view().data(), core::ItemId::size);
  wire.set_field(write.key.field);
  encode_value(write.value, *wire.mutable_value());
  bool places = false;
  for (const core::ValueId& replaced : write.replaces) {
    const core::DeviceId& device = replaced.operation.device;
    device == sender ? wire.add_replaced_device("", 0) : wire.add_replaced_device(device.view().data(), device.size);
    wire.add_replaced_counter(replaced.operation.counter);
    places = places || replaced.place != 0;
  }
  if (!places) return;
  for (const core::ValueId& replaced : write.replaces) wire.add_replaced_place(replaced.place);
}

Result<void> decode_replaces(const v1::FieldWrite& wire, const core::OperationId& id, core::FieldWrite& write) {
  const int count = wire.replaced_device_size();
  if (wire.replaced_counter_size() != count || (wire.replaced_place_size() != 0 && wire.replaced_place_size() != count)) {
    return malformed("its lists of replaced values differ in length.");
  }
  write.replaces.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    core::ValueId replaced{{id.device, wire.replaced_counter(i)}, wire.replaced_place_size() != 0 ? wire.replaced_place(i) : 0};
    if (!wire.replaced_device(i).empty()) {
      const auto device = core::DeviceId::from_bytes(wire.replaced_device(i));
      if (!device) return malformed("a device id is not 16 bytes.");
      replaced.operation.device = *device;
    }
    const bool own_future = replaced.operation.device == id.device && replaced.operation.counter >= id.counter;
    if (replaced.operation.counter == 0 || own_future) return malformed("it replaces a value that cannot exist yet.");
    write.replaces.push_back(replaced);
  }
  return {};
}

Result<core::FieldWrite> decode_write(const v1::FieldWrite& wire, const core::OperationId& id) {
  core::FieldWrite write;
  if (!wire.item().empty()) {
    const auto item = core::ItemId::from_bytes(wire.item());
    if (!item || item->is_none()) return malformed("an item id is not 16 bytes.");
    write.key.item = *item;
  }
  write.key.field = wire.field();
  auto value = decode_value(wire.value());
  if (!value) return value.error();
  write.value = std::move(*value);
  if (auto replaces = decode_replaces(wire, id, write); !replaces) return replaces.error();
  return write;
}

}  // namespace

std::string encode_operation(const core::Operation& operation) {
  ScratchArena arena;
  auto& wire = arena.make<v1::Operation>();
  wire.set_record(operation.record.view().data(), core::RecordId::size);
  wire.set_scope(operation.scope.view().data(), core::ScopeId::size);
  wire.set_form(operation.form);
  wire.set_kind(operation.kind == core::OperationKind::finalise ? v1::OPERATION_KIND_FINALISE : v1::OPERATION_KIND_EDIT);
  wire.set_origin(operation.origin == core::OperationOrigin::machine ? v1::OPERATION_ORIGIN_MACHINE
                                                                     : v1::OPERATION_ORIGIN_PERSON);
  wire.set_claimed_time_ms(operation.claimed.ms);
  for (const core::FieldWrite& write : operation.writes) encode_write(write, operation.id.device, *wire.add_writes());
  return wire.SerializeAsString();
}

Result<core::Operation> decode_operation(std::string_view bytes, const core::OperationId& id, const core::PersonId& author,
                                         std::size_t& elements) {
  if (auto scanned = scan_message(bytes, *v1::Operation::descriptor(), request_limits, elements); !scanned) {
    if (scanned.error().code == Errc::too_many_elements) return scanned.error();
    return malformed("it is cut short or not an operation.");
  }
  ScratchArena arena;
  auto& wire = arena.make<v1::Operation>();
  if (!wire.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Error{Errc::invalid_text, "The operation holds text that is not valid UTF-8."};
  }
  if (wire.SerializeAsString() != bytes) return malformed("its bytes are not the canonical ones.");
  core::Operation operation;
  operation.id = id;
  operation.author = author;
  const auto record = core::RecordId::from_bytes(wire.record());
  const auto scope = core::ScopeId::from_bytes(wire.scope());
  if (!record || !scope) return malformed("its record or scope is not 16 bytes.");
  operation.record = *record;
  operation.scope = *scope;
  operation.form = wire.form();
  if (!v1::OperationKind_IsValid(wire.kind()) || !v1::OperationOrigin_IsValid(wire.origin())) {
    return malformed("its kind is not known.");
  }
  operation.kind = wire.kind() == v1::OPERATION_KIND_FINALISE ? core::OperationKind::finalise : core::OperationKind::edit;
  operation.origin = wire.origin() == v1::OPERATION_ORIGIN_MACHINE ? core::OperationOrigin::machine : core::OperationOrigin::person;
  operation.claimed = {wire.claimed_time_ms()};
  operation.writes.reserve(static_cast<std::size_t>(wire.writes_size()));
  for (const v1::FieldWrite& entry : wire.writes()) {
    auto write = decode_write(entry, id);
    if (!write) return write.error();
    operation.writes.push_back(std::move(*write));
  }
  return operation;
}

void append_to_list(std::string& list, std::string_view operation) {
  using google::protobuf::io::CodedOutputStream;
  std::uint8_t prefix[8];
  prefix[0] = (v1::OperationList::kOperationsFieldNumber << 3) | 2;
  std::uint8_t* end = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(operation.size()), prefix + 1);
  list.append(reinterpret_cast<const char*>(prefix), static_cast<std::size_t>(end - prefix));
  list.append(operation);
}

Result<std::vector<std::string_view>> split_list(std::string_view list) {
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(list.data()), static_cast<int>(list.size()));
  constexpr std::uint32_t operation_tag = (v1::OperationList::kOperationsFieldNumber << 3) | 2;
  std::vector<std::string_view> operations;
  while (const std::uint32_t tag = input.ReadTag()) {
    std::uint32_t size = 0;
    const void* at = nullptr;
    int left = 0;
    if (tag != operation_tag || !input.ReadVarint32(&size)) return Error{Errc::malformed_request, "The batch's content is not a list of operations."};
    const bool there = input.GetDirectBufferPointer(&at, &left);
    if ((size > 0 && !there) || static_cast<std::uint32_t>(left) < size || !input.Skip(static_cast<int>(size))) {
      return Error{Errc::malformed_request, "The batch's content is cut short."};
    }
    if (operations.size() == operations_per_batch_max) {
      return Error{Errc::too_many_elements, "The batch holds more than 500 operations."};
    }
    operations.emplace_back(static_cast<const char*>(at), size);
  }
  if (!input.ConsumedEntireMessage()) return Error{Errc::malformed_request, "The batch's content is cut short."};
  return operations;
}

}  // namespace fieldsync::codec
