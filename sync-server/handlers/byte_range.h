// byte_range.h: the Range of a request (RFC 9110 section 14): one range that begins at a byte.
// Others may be ignored, and are.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace fieldsync::server {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;  // one behind the last
  bool operator==(const ByteRange&) const = default;
  // Nothing of what is there is asked for.
  [[nodiscard]] bool is_empty() const { return first >= end; }
};

// Of `size` bytes. Nothing: all are to be sent.
[[nodiscard]] std::optional<ByteRange> parse_range(std::string_view header, std::uint64_t size);

// Digits only, at most 64 bits: what is larger is the largest number.
[[nodiscard]] std::optional<std::uint64_t> parse_digits(std::string_view text);

}  // namespace fieldsync::server
