#include "api/search_text.h"

#include <sodium.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace fieldsync::api {
namespace {

// What utf8proc makes of it; nothing where it is not UTF-8. Its work is done in memory that is
// wiped here: a C library's own is given back as it is.
std::optional<std::string> fold_by_unicode(std::string_view text) {
  constexpr auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto size = static_cast<utf8proc_ssize_t>(text.size());
  const auto letters = utf8proc_decompose(bytes, size, nullptr, 0, options);
  if (letters < 0) return std::nullopt;
  // One more: it ends the text with a zero.
  std::vector<utf8proc_int32_t> work(static_cast<std::size_t>(letters) + 1);
  utf8proc_decompose(bytes, size, work.data(), letters, options);
  const auto folded_bytes = utf8proc_reencode(work.data(), letters, options);
  std::optional<std::string> folded;
  if (folded_bytes >= 0)
    folded.emplace(reinterpret_cast<const char*>(work.data()), static_cast<std::size_t>(folded_bytes));
  sodium_memzero(work.data(), work.size() * sizeof work.front());
  return folded;
}

// Letters that never combine with what stands before them: folded by a look at a table, which
// is ten times as fast. Most text has no others.
class PlainLetters {
 public:
  static const PlainLetters& instance() {
    static const PlainLetters letters;
    return letters;
  }

  struct Folded {
    std::array<char, 6> bytes{};
    std::uint8_t size = 0;
  };
  // Of the plain letter that begins at `at`; null where none does.
  [[nodiscard]] const Folded* find(std::string_view text, std::size_t at) const {
    std::size_t letter = static_cast<unsigned char>(text[at]);
    if (letter >= 0x80) {
      if (letter < 0xc2 || letter > 0xd4 || at + 1 == text.size()) return nullptr;
      const std::size_t second = static_cast<unsigned char>(text[at + 1]);
      letter = (letter & 0x1f) << 6 | (second & 0x3f);
      if ((second & 0xc0) != 0x80 || letter >= end) return nullptr;
    }
    return folded_[letter].size == 0 ? nullptr : &folded_[letter];
  }

 private:
  // Latin, Greek and Cyrillic: one byte or two.
  static constexpr std::size_t end = 0x530;

  PlainLetters() {
    for (std::size_t letter = 1; letter < end; ++letter) {
      const auto code = static_cast<utf8proc_int32_t>(letter);
      if (utf8proc_get_property(code)->combining_class != 0) continue;
      std::array<utf8proc_uint8_t, 4> encoded{};
      const auto length = static_cast<std::size_t>(utf8proc_encode_char(code, encoded.data()));
      const auto folded = fold_by_unicode({reinterpret_cast<const char*>(encoded.data()), length});
      if (!folded || folded->size() > folded_[letter].bytes.size()) continue;
      std::copy(folded->begin(), folded->end(), folded_[letter].bytes.begin());
      folded_[letter].size = static_cast<std::uint8_t>(folded->size());
    }
  }

  std::array<Folded, end> folded_;
};

}  // namespace

void append_folded(std::string& to, std::string_view text) {
  const PlainLetters& plain = PlainLetters::instance();
  const std::size_t before = to.size();
  to.reserve(before + text.size());
  // The last plain letter: what stands behind it may combine with it.
  std::size_t last = 0;
  std::size_t last_folded = before;
  std::size_t at = 0;
  while (at < text.size()) {
    if (const auto* letter = plain.find(text, at)) {
      last = at;
      last_folded = to.size();
      for (std::size_t i = 0; i < letter->size; ++i) to.push_back(letter->bytes[i]);
      at += static_cast<unsigned char>(text[at]) < 0x80 ? 1 : 2;
      continue;
    }
    while (at < text.size() && plain.find(text, at) == nullptr) ++at;
    const auto folded = fold_by_unicode(text.substr(last, at - last));
    to.resize(folded ? last_folded : before);
    to += folded ? *folded : text;
    if (!folded) return;
    last = at;
    last_folded = to.size();
  }
}

std::string fold(std::string_view text) {
  std::string folded;
  append_folded(folded, text);
  return folded;
}

}  // namespace fieldsync::api
