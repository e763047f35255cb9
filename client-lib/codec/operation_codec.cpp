#include "codec/operation_codec.h"

#include <google/protobuf/io/coded_stream.h>

#include <algorithm>

#include "codec/value_codec.h"
#include "codec/wire_reader.h"
#include "codec/wire_scan.h"
#include "core/form.h"
#include "fieldsync/v1/operation.pb.h"

namespace fieldsync::codec {
namespace {

Error malformed(std::string_view what) {
  return {Errc::malformed_operation, "The operation could not be read: " + std::string(what)};
}

Error unreadable() { return malformed("it is cut short or not an operation."); }

void write_replaces(WireWriter& out, const std::vector<core::ValueId>& replaces, const core::DeviceId& sender) {
  using Wire = v1::FieldWrite;
  for (const core::ValueId& replaced : replaces) {
    const core::DeviceId& device = replaced.operation.device;
    out.bytes(Wire::kReplacedDeviceFieldNumber, device == sender ? std::string_view() : device.view());
  }
  const std::size_t counters = out.begin(Wire::kReplacedCounterFieldNumber);
  for (const core::ValueId& replaced : replaces) out.packed(replaced.operation.counter);
  out.end(counters);
  const bool places =
      std::any_of(replaces.begin(), replaces.end(), [](const core::ValueId& replaced) { return replaced.place != 0; });
  if (!places) return;
  const std::size_t list = out.begin(Wire::kReplacedPlaceFieldNumber);
  for (const core::ValueId& replaced : replaces) out.packed(replaced.place);
  out.end(list);
}

void write_field_write(WireWriter& out, const core::FieldWrite& write, const core::DeviceId& sender) {
  const std::size_t mark = out.begin(v1::Operation::kWritesFieldNumber);
  if (!write.key.item.is_none()) out.bytes(v1::FieldWrite::kItemFieldNumber, write.key.item.view());
  out.number_unless_0(v1::FieldWrite::kFieldFieldNumber, write.key.field);
  write_value(out, v1::FieldWrite::kValueFieldNumber, write.value);
  if (!write.replaces.empty()) write_replaces(out, write.replaces, sender);
  out.end(mark);
}

// Reads one operation in one pass, counting as it goes.
class OperationReader {
 public:
  OperationReader(core::Operation& operation, std::size_t& elements) : operation_(operation), elements_(elements) {}

  Result<void> read(std::string_view bytes) {
    WireReader reader(bytes);
    while (reader.next()) {
      const bool write = reader.field() == v1::Operation::kWritesFieldNumber && reader.type() == WireType::bytes;
      if (write) {
        ++elements_;
        if (auto taken = take_write(reader.bytes()); !taken) return taken;
      } else if (!take_head(reader)) {
        return unreadable();
      }
      if (elements_ > request_limits.elements_max) return too_many();
    }
    if (reader.failed()) return unreadable();
    if (!has_record_ || !has_scope_) return malformed("its record or scope is not 16 bytes.");
    if (!core::is_name(operation_.form)) return malformed("it does not name a form.");
    return {};
  }

 private:
  static Error too_many() { return {Errc::too_many_elements, "The request holds too many operations or values."}; }

  bool take_head(WireReader& field) {
    using Wire = v1::Operation;
    switch (field.field()) {
      case Wire::kRecordFieldNumber:
        return field.once(WireType::bytes) && take_id(field.bytes(), operation_.record, has_record_);
      case Wire::kScopeFieldNumber:
        return field.once(WireType::bytes) && take_id(field.bytes(), operation_.scope, has_scope_);
      case Wire::kFormFieldNumber: operation_.form = field.bytes(); return field.once(WireType::bytes);
      case Wire::kKindFieldNumber:
        operation_.kind = core::OperationKind::finalise;
        return field.once(WireType::varint) && field.number() == v1::OPERATION_KIND_FINALISE;
      case Wire::kOriginFieldNumber:
        operation_.origin = core::OperationOrigin::machine;
        return field.once(WireType::varint) && field.number() == v1::OPERATION_ORIGIN_MACHINE;
      case Wire::kClaimedTimeMsFieldNumber:
        operation_.claimed = {field.zigzag()};
        return field.once_not_default(WireType::varint);
      case Wire::kEditionDigestFieldNumber: return take_edition(field, operation_.edition_digest);
      case Wire::kEditionSignatureFieldNumber: return take_edition(field, operation_.edition_signature);
      default: return false;
    }
  }

  // The kind stands before it.
  bool take_edition(WireReader& field, std::string& part) const {
    part = field.bytes();
    return field.once_not_default(WireType::bytes) && operation_.kind == core::OperationKind::finalise;
  }

  template <typename Id>
  static bool take_id(std::string_view bytes, Id& id, bool& there) {
    const auto read = Id::from_bytes(bytes);
    if (read) id = *read;
    there = read.has_value();
    return true;
  }

  Result<void> take_write(std::string_view bytes) {
    using Wire = v1::FieldWrite;
    core::FieldWrite& write = operation_.writes.emplace_back();
    std::string_view value;
    bool has_value = false;
    devices_.clear();
    counters_.clear();
    places_.clear();
    WireReader reader(bytes);
    while (reader.next()) {
      bool good = false;
      switch (reader.field()) {
        case Wire::kItemFieldNumber: {
          const auto item = core::ItemId::from_bytes(reader.bytes());
          if (!reader.once(WireType::bytes) || !item || item->is_none())
            return malformed("an item id is not 16 bytes.");
          write.key.item = *item;
          good = true;
          break;
        }
        case Wire::kFieldFieldNumber:
          write.key.field = static_cast<std::uint32_t>(reader.number());
          good = reader.once_not_default(WireType::varint) && reader.number() <= UINT32_MAX;
          break;
        case Wire::kValueFieldNumber:
          ++elements_;
          value = reader.bytes();
          has_value = good = reader.once(WireType::bytes);
          break;
        case Wire::kReplacedDeviceFieldNumber:
          ++elements_;
          devices_.push_back(reader.bytes());
          good = reader.type() == WireType::bytes;
          break;
        case Wire::kReplacedCounterFieldNumber: good = read_numbers(reader, counters_, elements_); break;
        case Wire::kReplacedPlaceFieldNumber: good = read_numbers(reader, places_, elements_); break;
        default: break;
      }
      if (elements_ > request_limits.elements_max) return too_many();
      if (!good) return unreadable();
    }
    if (reader.failed()) return unreadable();
    if (!has_value) return malformed("a write has no value.");
    auto read = read_value(value, elements_);
    if (!read) return read.error();
    write.value = std::move(*read);
    return take_replaces(write);
  }

  Result<void> take_replaces(core::FieldWrite& write) const {
    const std::size_t count = devices_.size();
    if (counters_.size() != count || (!places_.empty() && places_.size() != count)) {
      return malformed("its lists of replaced values differ in length.");
    }
    const bool places = std::any_of(places_.begin(), places_.end(), [](std::uint64_t place) { return place != 0; });
    if (!places_.empty() && !places) return unreadable();
    write.replaces.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto device = devices_[i].empty() ? operation_.id.device : core::DeviceId::from_bytes(devices_[i]);
      if (!device) return malformed("a device id is not 16 bytes.");
      const std::uint64_t place = places_.empty() ? 0 : places_[i];
      const bool own_future = *device == operation_.id.device && counters_[i] >= operation_.id.counter;
      if (counters_[i] == 0 || own_future || place > UINT32_MAX)
        return malformed("it replaces a value that cannot exist yet.");
      write.replaces.push_back({{*device, counters_[i]}, static_cast<std::uint32_t>(place)});
    }
    return {};
  }

  core::Operation& operation_;
  std::size_t& elements_;
  bool has_record_ = false;
  bool has_scope_ = false;
  // Of the write that is being read.
  std::vector<std::string_view> devices_;
  std::vector<std::uint64_t> counters_;
  std::vector<std::uint64_t> places_;
};

}  // namespace

std::string encode_operation(const core::Operation& operation) {
  using Wire = v1::Operation;
  WireWriter out;
  out.bytes(Wire::kRecordFieldNumber, operation.record.view());
  out.bytes(Wire::kScopeFieldNumber, operation.scope.view());
  out.bytes_unless_empty(Wire::kFormFieldNumber, operation.form);
  if (operation.kind == core::OperationKind::finalise) out.number(Wire::kKindFieldNumber, v1::OPERATION_KIND_FINALISE);
  out.zigzag_unless_0(Wire::kClaimedTimeMsFieldNumber, operation.claimed.ms);
  for (const core::FieldWrite& write : operation.writes) write_field_write(out, write, operation.id.device);
  if (operation.origin == core::OperationOrigin::machine)
    out.number(Wire::kOriginFieldNumber, v1::OPERATION_ORIGIN_MACHINE);
  out.bytes_unless_empty(Wire::kEditionDigestFieldNumber, operation.edition_digest);
  out.bytes_unless_empty(Wire::kEditionSignatureFieldNumber, operation.edition_signature);
  return out.take();
}

Result<core::Operation> decode_operation(std::string_view bytes, const core::OperationId& id,
                                         const core::PersonId& author, std::size_t& elements) {
  core::Operation operation;
  operation.id = id;
  operation.author = author;
  // A guess that is right for most, so that they are not moved while they are read.
  operation.writes.reserve(std::min<std::size_t>(bytes.size() / 32, 64));
  if (auto read = OperationReader(operation, elements).read(bytes); !read) return read.error();
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
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(list.data()),
                                               static_cast<int>(list.size()));
  constexpr std::uint32_t operation_tag = (v1::OperationList::kOperationsFieldNumber << 3) | 2;
  std::vector<std::string_view> operations;
  while (const std::uint32_t tag = input.ReadTag()) {
    std::uint32_t size = 0;
    const void* at = nullptr;
    int left = 0;
    if (tag != operation_tag || !input.ReadVarint32(&size))
      return Error{Errc::malformed_request, "The batch's content is not a list of operations."};
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
