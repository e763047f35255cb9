#include "fieldsync/text_display.h"

#include <utf8proc.h>

#include <array>
#include <cstdio>

namespace fieldsync::cli {
namespace {

constexpr utf8proc_int32_t first_strong_isolate = 0x2068;
constexpr utf8proc_int32_t pop_isolate = 0x2069;
constexpr std::string_view isolate_open = "\u2068";
constexpr std::string_view isolate_close = "\u2069";
constexpr std::string_view replacement = "\uFFFD";
constexpr std::string_view ellipsis = "\u2026";

struct CodePoint {
  utf8proc_int32_t value = -1;  // negative: not UTF-8
  std::string_view bytes;
};

// Takes the first code point, or one byte that is none, off `rest`, which is not empty.
CodePoint take(std::string_view& rest) {
  CodePoint point;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(rest.data()),
                                       static_cast<utf8proc_ssize_t>(rest.size()), &point.value);
  point.bytes = rest.substr(0, length > 0 ? static_cast<std::size_t>(length) : 1);
  rest.remove_prefix(point.bytes.size());
  return point;
}

std::string spelled_out(utf8proc_int32_t control) {
  std::array<char, 8> text{};
  const int length = std::snprintf(text.data(), text.size(), "\\x%02x", static_cast<unsigned>(control));
  return {text.data(), static_cast<std::size_t>(length)};
}

bool changes_direction(utf8proc_int32_t point) {
  switch (utf8proc_get_property(point)->bidi_class) {
    case UTF8PROC_BIDI_CLASS_R:
    case UTF8PROC_BIDI_CLASS_AL:
    case UTF8PROC_BIDI_CLASS_AN:
    case UTF8PROC_BIDI_CLASS_LRE:
    case UTF8PROC_BIDI_CLASS_RLE:
    case UTF8PROC_BIDI_CLASS_LRO:
    case UTF8PROC_BIDI_CLASS_RLO:
    case UTF8PROC_BIDI_CLASS_PDF:
    case UTF8PROC_BIDI_CLASS_LRI:
    case UTF8PROC_BIDI_CLASS_RLI:
    case UTF8PROC_BIDI_CLASS_FSI:
    case UTF8PROC_BIDI_CLASS_PDI: return true;
    default: return false;
  }
}

bool opens_isolate(utf8proc_int32_t point) { return point >= 0x2066 && point <= first_strong_isolate; }

// Without a U+2069 that would end the isolate around it, and with every isolate
// that it opens closed.
std::string balanced(std::string_view text) {
  std::string result;
  std::size_t open = 0;
  while (!text.empty()) {
    const CodePoint point = take(text);
    if (point.value == pop_isolate && open == 0) continue;
    if (point.value == pop_isolate) --open;
    if (opens_isolate(point.value)) ++open;
    result += point.bytes;
  }
  for (; open > 0; --open) result += isolate_close;
  return result;
}

std::size_t width_of(utf8proc_int32_t point) {
  return point < 0 ? 1 : static_cast<std::size_t>(utf8proc_charwidth(point));
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = take(text);
    const auto category = point.value < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(point.value);
    const bool breaks_line = category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
    if (point.value < 0) {
      result += replacement;
    } else if (point.value == '\n' || point.value == '\t' || breaks_line) {
      result += ' ';
    } else if (category == UTF8PROC_CATEGORY_CC) {
      result += spelled_out(point.value);
    } else {
      result += point.bytes;
    }
  }
  return result;
}

std::string isolated(std::string_view text) {
  bool mixed = false;
  for (std::string_view rest = text; !rest.empty() && !mixed;) {
    const CodePoint point = take(rest);
    mixed = point.value >= 0 && changes_direction(point.value);
  }
  if (!mixed) return std::string(text);
  return std::string(isolate_open) + balanced(text) + std::string(isolate_close);
}

std::string for_terminal(std::string_view text) { return isolated(escaped(text)); }

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) width += width_of(take(text).value);
  return width;
}

std::string shortened(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::string result;
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint point = take(text);
    width += width_of(point.value);
    if (width > columns - 1) break;
    result += point.bytes;
  }
  return result + std::string(ellipsis);
}

}  // namespace fieldsync::cli
