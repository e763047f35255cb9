#include "core/text.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace fieldsync::core {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 0;  // 0: not valid
};

CodePoint decode(std::string_view rest) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(rest[i]); };
  const std::uint8_t lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || rest.size() < length) return {};
  static constexpr std::uint8_t lead_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  std::uint32_t value = lead & lead_mask[length];
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = (value << 6) | (byte(i) & 0x3F);
  }
  static constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {};
  return {value, length};
}

// Whether four characters of two bytes each, 1101xxxx 10xxxxxx, stand
// here: U+0400 to U+07FF, so all of Cyrillic, which most text is.
bool four_of_two_bytes(const char* at) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, sizeof bytes);
  return (bytes & 0xC0F0C0F0C0F0C0F0) == 0x80D080D080D080D0;
}

bool is_forbidden(std::uint32_t value) {
  if (value == '\t' || value == '\n') return false;
  return value < 0x20 || (value >= 0x7F && value < 0xA0);
}

}  // namespace

std::optional<std::size_t> count_characters(std::string_view text) {
  std::size_t characters = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (end - at >= 8 && four_of_two_bytes(at)) {
      at += 8;
      characters += 4;
      continue;
    }
    const auto lead = static_cast<std::uint8_t>(*at);
    if (lead >= 0x20 && lead < 0x7F) {
      ++at;
    } else if ((lead & 0xF0) == 0xD0 && end - at >= 2 && (static_cast<std::uint8_t>(at[1]) & 0xC0) == 0x80) {
      at += 2;
    } else {
      const CodePoint point = decode({at, static_cast<std::size_t>(end - at)});
      if (point.bytes == 0 || is_forbidden(point.value)) return std::nullopt;
      at += point.bytes;
    }
    ++characters;
  }
  return characters;
}

}  // namespace fieldsync::core
