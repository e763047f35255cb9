// packing.h: several small values as the content of one cell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fieldsync::storage {

// Eight bytes, the least first.
inline void pack_number(std::string& cell, std::uint64_t number) {
  for (int i = 0; i < 8; ++i) cell += static_cast<char>(number >> (8 * i));
}

// With its length in front.
inline void pack_text(std::string& cell, std::string_view text) {
  pack_number(cell, text.size());
  cell += text;
}

// Reads a cell in the order in which it was packed. What is missing reads as zero or
// empty, and done() is false at the end.
class Unpacker {
 public:
  explicit Unpacker(std::string_view cell) : left_(cell) {}

  std::uint64_t number() {
    const std::string_view bytes = this->bytes(8);
    std::uint64_t number = 0;
    for (std::size_t i = bytes.size(); i > 0; --i) number = (number << 8) | static_cast<unsigned char>(bytes[i - 1]);
    return number;
  }
  std::string_view text() { return bytes(number()); }
  std::string_view bytes(std::uint64_t size) {
    if (size > left_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  // All that is left.
  std::string_view rest() { return bytes(left_.size()); }

  [[nodiscard]] bool done() const { return !failed_ && left_.empty(); }

 private:
  std::string_view left_;
  bool failed_ = false;
};

}  // namespace fieldsync::storage
