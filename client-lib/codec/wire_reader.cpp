#include "codec/wire_reader.h"

#include <bit>
#include <cstring>

#include "codec/wire_scan.h"

namespace fieldsync::codec {
namespace {

constexpr std::uint64_t field_number_max = (std::uint64_t{1} << 29) - 1;

static_assert(std::endian::native == std::endian::little, "fixed numbers are read as they lie");

}  // namespace

bool read_loose_varint(std::string_view& bytes, std::uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < 10 && i < bytes.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    if (i == 9 && byte > 1) return false;
    value |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
    if (byte < 0x80) {
      bytes.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool read_long_varint(std::string_view& bytes, std::uint64_t& value) {
  const char* const first = bytes.data();
  if (!read_loose_varint(bytes, value)) return false;
  const char* const last = bytes.data() - 1;
  return last == first || *last != 0;
}

bool WireReader::next() {
  if (rest_.empty() || failed_) return false;
  std::uint64_t tag = 0;
  if (!read_varint(rest_, tag) || tag >> 3 == 0 || tag >> 3 > field_number_max) return fail();
  const auto field = static_cast<std::uint32_t>(tag >> 3);
  if (field < field_) return fail();
  again_ = field == field_;
  field_ = field;
  type_ = static_cast<WireType>(tag & 7);
  std::size_t size = 0;
  switch (type_) {
    case WireType::varint: return read_varint(rest_, number_) || fail();
    case WireType::fixed64: size = 8; break;
    case WireType::fixed32: size = 4; break;
    case WireType::bytes:
      if (!read_varint(rest_, number_) || number_ > rest_.size()) return fail();
      size = number_;
      break;
    default: return fail();  // groups, and what has no meaning
  }
  if (size > rest_.size()) return fail();
  bytes_ = rest_.substr(0, size);
  rest_.remove_prefix(size);
  if (type_ != WireType::bytes) {
    number_ = 0;
    std::memcpy(&number_, bytes_.data(), size);
  }
  return true;
}

bool read_numbers(const WireReader& field, std::vector<std::uint64_t>& numbers, std::size_t& elements) {
  if (!field.once_not_default(WireType::bytes)) return false;
  elements += 1 + field.bytes().size();
  if (elements > request_limits.elements_max) return false;
  for (std::string_view rest = field.bytes(); !rest.empty();) {
    if (!read_varint(rest, numbers.emplace_back())) return false;
  }
  return true;
}

}  // namespace fieldsync::codec
