#include "codec/wire_scan.h"

#include <google/protobuf/descriptor.h>

#include <cstdint>

#include "codec/wire_reader.h"

namespace fieldsync::codec {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

WireType wire_type_of(const FieldDescriptor& field) {
  switch (field.type()) {
    case FieldDescriptor::TYPE_DOUBLE:
    case FieldDescriptor::TYPE_FIXED64:
    case FieldDescriptor::TYPE_SFIXED64: return WireType::fixed64;
    case FieldDescriptor::TYPE_FLOAT:
    case FieldDescriptor::TYPE_FIXED32:
    case FieldDescriptor::TYPE_SFIXED32: return WireType::fixed32;
    case FieldDescriptor::TYPE_STRING:
    case FieldDescriptor::TYPE_BYTES:
    case FieldDescriptor::TYPE_MESSAGE: return WireType::bytes;
    default: return WireType::varint;
  }
}

// A parser would take a field of another wire type for an unknown one.
bool fits(WireType wire_type, const FieldDescriptor& field) {
  return wire_type == wire_type_of(field) || (wire_type == WireType::bytes && field.is_packable());
}

class Scanner {
 public:
  Scanner(const WireLimits& limits, std::size_t& elements) : limits_(limits), elements_(elements) {}

  Result<void> message(std::string_view bytes, const Descriptor& type, int depth) {
    if (depth > limits_.depth_max) return Error{Errc::malformed_request, "The request nests too deeply."};
    while (!bytes.empty()) {
      std::uint64_t tag = 0;
      if (!read_loose_varint(bytes, tag) || tag > UINT32_MAX) return broken();
      const FieldDescriptor* field = type.FindFieldByNumber(static_cast<int>(tag >> 3));
      if (field == nullptr)
        return Error{Errc::malformed_request, "The request holds a field that this version does not know."};
      if (auto read = content(bytes, static_cast<WireType>(tag & 7), *field, depth); !read) return read;
    }
    return {};
  }

 private:
  static Error broken() { return {Errc::malformed_request, "The request is cut short or not protobuf."}; }

  static bool skip(std::string_view& bytes, std::size_t count) {
    if (bytes.size() < count) return false;
    bytes.remove_prefix(count);
    return true;
  }

  Result<void> content(std::string_view& bytes, WireType wire_type, const FieldDescriptor& field, int depth) {
    if (!fits(wire_type, field)) return broken();
    std::uint64_t value = 0;
    const bool counts = field.is_repeated() || field.type() == FieldDescriptor::TYPE_MESSAGE;
    if (counts) ++elements_;
    switch (wire_type) {
      case WireType::varint:
        if (!read_loose_varint(bytes, value)) return broken();
        break;
      case WireType::fixed64:
        if (!skip(bytes, 8)) return broken();
        break;
      case WireType::fixed32:
        if (!skip(bytes, 4)) return broken();
        break;
      case WireType::bytes: {
        if (!read_loose_varint(bytes, value) || value > bytes.size()) return broken();
        const std::string_view inside = bytes.substr(0, value);
        bytes.remove_prefix(value);
        // A packed list: no more entries than bytes.
        if (field.is_packable()) elements_ += inside.size();
        if (field.type() == FieldDescriptor::TYPE_MESSAGE) {
          if (elements_ > limits_.elements_max) return too_many();
          return message(inside, *field.message_type(), depth + 1);
        }
        break;
      }
      default: return broken();
    }
    return elements_ > limits_.elements_max ? Result<void>(too_many()) : Result<void>();
  }

  static Error too_many() { return {Errc::too_many_elements, "The request holds too many operations or values."}; }

  const WireLimits& limits_;
  std::size_t& elements_;
};

}  // namespace

Result<void> scan_message(std::string_view bytes, const Descriptor& type, const WireLimits& limits,
                          std::size_t& elements) {
  return Scanner(limits, elements).message(bytes, type, 1);
}

}  // namespace fieldsync::codec
