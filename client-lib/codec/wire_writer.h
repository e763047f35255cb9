// wire_writer.h: protobuf's wire format, written as its own library would write
// it: fields in ascending order, defaults left out by the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "codec/wire_reader.h"

namespace fieldsync::codec {

inline constexpr std::size_t varint_bytes_max = 10;

// Returns how many bytes it wrote, at most varint_bytes_max.
inline std::size_t put_varint(char* at, std::uint64_t value) {
  std::size_t count = 0;
  while (value >= 0x80) {
    at[count++] = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  at[count++] = static_cast<char>(value);
  return count;
}

class WireWriter {
 public:
  void number(std::uint32_t field, std::uint64_t value);
  void zigzag(std::uint32_t field, std::int64_t value) {
    number(field, (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void fixed64(std::uint32_t field, std::uint64_t value);
  void bytes(std::uint32_t field, std::string_view value);

  // The same, left out where the value is the default.
  void number_unless_0(std::uint32_t field, std::uint64_t value) {
    if (value != 0) number(field, value);
  }
  void zigzag_unless_0(std::uint32_t field, std::int64_t value) {
    if (value != 0) zigzag(field, value);
  }
  void bytes_unless_empty(std::uint32_t field, std::string_view value) {
    if (!value.empty()) bytes(field, value);
  }

  // A sub-message or packed list: everything written between begin and end.
  [[nodiscard]] std::size_t begin(std::uint32_t field);
  void end(std::size_t mark);
  // A bare number, inside a packed list.
  void packed(std::uint64_t value) { varint(value); }

  // What was written; the writer is empty afterwards.
  [[nodiscard]] std::string take();

 private:
  void tag(std::uint32_t field, WireType type) {
    varint((std::uint64_t{field} << 3) | static_cast<std::uint64_t>(type));
  }
  void varint(std::uint64_t value) { size_ += put_varint(room(varint_bytes_max), value); }
  // Room for `count` more bytes at the end.
  char* room(std::size_t count) {
    if (buffer_.size() - size_ < count) grow(count);
    return buffer_.data() + size_;
  }
  void grow(std::size_t count);

  std::string buffer_;  // larger than what was written
  std::size_t size_ = 0;
};

}  // namespace fieldsync::codec
