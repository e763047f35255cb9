#include "handlers/byte_range.h"

#include <algorithm>

namespace fieldsync::server {

std::optional<std::uint64_t> parse_digits(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t number = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    const auto value = static_cast<std::uint64_t>(digit - '0');
    number = number > (UINT64_MAX - value) / 10 ? UINT64_MAX : number * 10 + value;
  }
  return number;
}

std::optional<ByteRange> parse_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view unit = "bytes=";
  if (!header.starts_with(unit)) return std::nullopt;
  header.remove_prefix(unit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = parse_digits(header.substr(0, dash));
  if (!first) return std::nullopt;
  const std::string_view rest = header.substr(dash + 1);
  if (rest.empty()) return ByteRange{*first, size};
  const auto last = parse_digits(rest);
  if (!last || *last < *first) return std::nullopt;
  return ByteRange{*first, *last < size ? *last + 1 : size};
}

}  // namespace fieldsync::server
