// text.h: what counts as text: valid UTF-8 (RFC 3629), no NUL and no control
// characters but tab and line feed. Bidirectional controls are allowed: people
// paste them, and display isolates them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace fieldsync::core {

// The number of characters (code points), or nothing where it is not text.
[[nodiscard]] std::optional<std::size_t> count_characters(std::string_view text);

}  // namespace fieldsync::core
