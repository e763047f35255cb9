// command_line.h: the commands, their options and their help.
#pragma once

#include <functional>
#include <optional>

#include "core/result.h"
#include "fieldsync/settings.h"

namespace fieldsync::cli {

struct Invocation {
  Settings settings;
  std::function<Result<void>(const Settings&)> run;
  // Instead of `run`: help or the version was printed, or the command line is
  // wrong and that was said.
  std::optional<int> exit_code;
};

[[nodiscard]] Invocation parse_command_line(int argc, const char* const* argv);

}  // namespace fieldsync::cli
