// wire_reader.h: protobuf's wire format (protobuf.dev/programming-guides/encoding),
// read field by field in place: nothing is copied or allocated, so that a hostile
// message costs no more than its own bytes.
//
// Operations and records are read with it, and not by generated code: they are
// most of what a sync moves, and one pass counts, checks and decodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace fieldsync::codec {

enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// Takes a varint off the front of `bytes`. False where it is cut short or longer than 64 bits.
[[nodiscard]] bool read_varint(std::string_view& bytes, std::uint64_t& value);

class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}

  // Goes to the next field. False at the end, and where the bytes are no message:
  // then failed() is true.
  [[nodiscard]] bool next();
  [[nodiscard]] bool failed() const { return failed_; }

  [[nodiscard]] std::uint32_t field() const { return field_; }
  [[nodiscard]] WireType type() const { return type_; }
  // Of a varint, fixed64 or fixed32.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] std::int64_t zigzag() const {
    return static_cast<std::int64_t>(number_ >> 1) ^ -static_cast<std::int64_t>(number_ & 1);
  }
  // Of a sub-message, text or bytes; empty for every other type.
  [[nodiscard]] std::string_view bytes() const { return type_ == WireType::bytes ? bytes_ : std::string_view(); }

  // Whether this is the first occurrence of a field that may stand once, and of the type.
  // Protobuf lets the last one win; here two meanings of one message are refused.
  [[nodiscard]] bool once(WireType type);

 private:
  bool fail() {
    failed_ = true;
    return false;
  }

  std::string_view rest_;
  std::string_view bytes_;
  std::uint64_t number_ = 0;
  std::uint64_t seen_ = 0;  // a bit for each field below 64
  std::uint32_t field_ = 0;
  WireType type_ = WireType::varint;
  bool failed_ = false;
};

// A repeated number, packed or not: appended to `numbers`. Counts a packed list as
// wire_scan.h does, by its bytes. False where it is neither, or has more than a
// request may have.
[[nodiscard]] bool read_numbers(const WireReader& field, std::vector<std::uint64_t>& numbers, std::size_t& elements);

}  // namespace fieldsync::codec
