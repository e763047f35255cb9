// big_endian.h: numbers as what is signed and exported writes them: the greatest byte first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fieldsync::codec {

// The lowest `width` bytes of it.
inline void append_big_endian(std::string& bytes, std::uint64_t number, std::size_t width = 8) {
  for (std::size_t i = width; i-- > 0;) bytes += static_cast<char>(number >> (8 * i));
}

// Pre: at most 8 bytes.
[[nodiscard]] inline std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = (number << 8) | static_cast<std::uint8_t>(byte);
  return number;
}

}  // namespace fieldsync::codec
