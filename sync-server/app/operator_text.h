// operator_text.h: what an operator types for others to read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/text.h"

namespace fieldsync::server {

// As long as the name of a device may be.
inline constexpr std::size_t name_characters_max = 64;
// Of a name in the DNS.
inline constexpr std::size_t host_characters_max = 253;

// invalid_text where it is not one line of 1 to `characters_max` characters. Whatever else is stored would be
// sent to every device, and no device could read the reply. `what`: "A scope's name".
[[nodiscard]] inline Result<void> check_line(std::string_view text, std::string_view what, std::size_t characters_max) {
  const auto characters = core::count_characters(text);
  const bool is_line = characters && text.find_first_of("\n\t") == std::string_view::npos;
  if (is_line && *characters > 0 && *characters <= characters_max) return {};
  return Error{Errc::invalid_text, std::string(what) + " must be one line of 1 to " + std::to_string(characters_max) +
                                       " characters in UTF-8, without tabs and control characters."};
}

}  // namespace fieldsync::server
