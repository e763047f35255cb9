#include "core/text.h"

#include <cstdint>

namespace fieldsync::core {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 0;  // 0: not valid
};

CodePoint decode(std::string_view rest) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(rest[i]); };
  const std::uint8_t lead = byte(0);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
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

bool is_forbidden(std::uint32_t value) {
  if (value == '\t' || value == '\n') return false;
  return value < 0x20 || (value >= 0x7F && value < 0xA0);
}

}  // namespace

std::optional<std::size_t> count_characters(std::string_view text) {
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) {
    // Plain ASCII and the two bytes of Cyrillic, which is most of what there is.
    const auto lead = static_cast<std::uint8_t>(text[at]);
    if (lead >= 0x20 && lead < 0x7F) {
      ++at;
      continue;
    }
    const bool two_bytes = lead >= 0xC3 && lead < 0xE0 && text.size() - at > 1;
    if (two_bytes && (static_cast<std::uint8_t>(text[at + 1]) & 0xC0) == 0x80) {
      at += 2;
      continue;
    }
    const CodePoint point = decode(text.substr(at));
    if (point.bytes == 0 || is_forbidden(point.value)) return std::nullopt;
    at += point.bytes;
  }
  return characters;
}

}  // namespace fieldsync::core
