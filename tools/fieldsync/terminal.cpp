#include "fieldsync/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace fieldsync::cli {
namespace {

// Of a terminal that does not say how wide it is.
constexpr std::size_t usual_columns = 80;

}  // namespace

std::size_t terminal_columns(int descriptor) {
  if (isatty(descriptor) == 0) return 0;
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return usual_columns;
  return size.ws_col;
}

}  // namespace fieldsync::cli
