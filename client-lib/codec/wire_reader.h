// wire_reader.h: protobuf's wire format (protobuf.dev/programming-guides/encoding),
// read field by field in place: nothing is copied or allocated, so that a hostile
// message costs no more than its own bytes.
//
// Operations and records are read with it, and not by generated code: they are
// most of what a sync moves, and one pass counts, checks and decodes. They are
// signed and hashed as bytes, so only their canonical encoding is read: what
// another program could read otherwise (fields that stand twice or out of order,
// numbers in more bytes than they need, defaults written out) is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace fieldsync::codec {

enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// Takes a varint off the front of `bytes`, as protobuf reads them: up to ten bytes
// and 64 bits, in however many it was written. False where it is not that.
[[nodiscard]] bool read_loose_varint(std::string_view& bytes, std::uint64_t& value);

// The rare part of read_varint: more than one byte, or none.
[[nodiscard]] bool read_long_varint(std::string_view& bytes, std::uint64_t& value);

// Takes a varint off the front of `bytes`. False where it is cut short, longer than
// 64 bits, or written in more bytes than it needs.
[[nodiscard]] inline bool read_varint(std::string_view& bytes, std::uint64_t& value) {
  if (!bytes.empty() && static_cast<std::uint8_t>(bytes.front()) < 0x80) {
    value = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    return true;
  }
  return read_long_varint(bytes, value);
}

class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}

  // Goes to the next field. False at the end, and where the bytes are no message:
  // then failed() is true.
  [[nodiscard]] bool next();
  [[nodiscard]] bool failed() const { return failed_; }

  [[nodiscard]] std::uint32_t field() const { return field_; }
  [[nodiscard]] WireType type() const { return type_; }
  // Of a varint, fixed64 or fixed32; of bytes, how many.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::int64_t zigzag() const {
    return static_cast<std::int64_t>(number_ >> 1) ^ -static_cast<std::int64_t>(number_ & 1);
  }
  // Of a sub-message, text or bytes; empty for every other type.
  [[nodiscard]] std::string_view bytes() const { return type_ == WireType::bytes ? bytes_ : std::string_view(); }

  // Whether the field is of this type and stands here for the first time, as it
  // must where it is not repeated.
  [[nodiscard]] bool once(WireType type) const { return type_ == type && !again_; }
  // The same, and not the default, which is never written.
  [[nodiscard]] bool once_not_default(WireType type) const { return once(type) && number_ != 0; }

 private:
  bool fail() {
    failed_ = true;
    return false;
  }

  std::string_view rest_;
  std::string_view bytes_;
  std::uint64_t number_ = 0;
  std::uint32_t field_ = 0;
  WireType type_ = WireType::varint;
  bool again_ = false;
  bool failed_ = false;
};

// A repeated number, as one packed list: appended to `numbers`. Counts it as
// wire_scan.h does, by its bytes. False where it is something else or empty, or
// has more than a request may have.
[[nodiscard]] bool read_numbers(const WireReader& field, std::vector<std::uint64_t>& numbers, std::size_t& elements);

}  // namespace fieldsync::codec
