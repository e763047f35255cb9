// little_endian.h: numbers as they stand in cells and slots, least byte first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fieldsync::seal {

inline void put_little_endian(std::string& bytes, std::size_t at, std::uint64_t number) {
  for (std::size_t i = 0; i < 8; ++i) bytes[at + i] = static_cast<char>(number >> (8 * i));
}

inline void append_little_endian(std::string& bytes, std::uint64_t number) {
  bytes.append(8, '\0');
  put_little_endian(bytes, bytes.size() - 8, number);
}

// Pre: `size` bytes, at most 8, follow `at`.
inline std::uint64_t read_little_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = size; i > 0; --i) number = (number << 8) | static_cast<unsigned char>(bytes[at + i - 1]);
  return number;
}

}  // namespace fieldsync::seal
