// text_display.h: text from records, made safe and measurable for a terminal.
// What people typed may hold escape sequences, right-to-left letters and
// direction overrides; none of them may change what stands around it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fieldsync::cli {

// One line: line feeds and tabs become spaces, other control characters are
// spelled out (\x1b), and bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string escaped(std::string_view text);

// Text with right-to-left letters or direction controls stands between U+2068
// and U+2069, balanced inside; other text is unchanged.
[[nodiscard]] std::string isolated(std::string_view text);

// Both of them, in that order.
[[nodiscard]] std::string for_terminal(std::string_view text);

// Columns on a terminal: 0 for combining marks, 2 for wide letters. `text` is
// UTF-8 without control characters.
[[nodiscard]] std::size_t display_width(std::string_view text);

// At most `columns` wide; what was cut leaves an ellipsis.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t columns);

}  // namespace fieldsync::cli
