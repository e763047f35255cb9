// wire_writer.h: protobuf's wire format, written as its own library would write
// it: fields in ascending order, defaults left out by the caller.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "codec/wire_reader.h"

namespace fieldsync::codec {

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
  void tag(std::uint32_t field, WireType type) { varint((std::uint64_t{field} << 3) | static_cast<std::uint64_t>(type)); }
  void varint(std::uint64_t value);
  // Room for `count` more bytes at the end.
  char* room(std::size_t count);

  std::string buffer_;  // larger than what was written
  std::size_t size_ = 0;
};

}  // namespace fieldsync::codec
