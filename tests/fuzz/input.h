// input.h: takes a fuzzer's bytes apart. What is asked beyond the end is zero, so
// that every input means something.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fieldsync::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  [[nodiscard]] bool is_empty() const { return rest_.empty(); }

  std::uint8_t byte() {
    const std::string_view taken = bytes(1);
    return taken.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(taken[0]);
  }
  // From 0 to `below` - 1.
  std::uint32_t below(std::uint32_t below) { return byte() % below; }
  // Two bytes, big endian.
  std::uint32_t number() {
    const std::uint32_t high = byte();
    return high << 8 | byte();
  }
  std::uint64_t wide_number() {
    std::uint64_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 16 | number();
    return value;
  }
  std::string_view bytes(std::size_t count) {
    const std::string_view taken = rest_.substr(0, std::min(count, rest_.size()));
    rest_.remove_prefix(taken.size());
    return taken;
  }
  // Preceded by its length.
  std::string_view chunk() { return bytes(number()); }
  std::string_view rest() { return bytes(rest_.size()); }

 private:
  std::string_view rest_;
};

}  // namespace fieldsync::fuzz
