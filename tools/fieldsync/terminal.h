// terminal.h: what the program is connected to.
#pragma once

#include <cstddef>

namespace fieldsync::cli {

// Columns of the terminal behind a file descriptor; 0 where there is none, so
// that what goes into a file or a pipe is never cut.
[[nodiscard]] std::size_t terminal_columns(int descriptor);

}  // namespace fieldsync::cli
