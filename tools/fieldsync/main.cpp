// main.cpp: the command-line app: parses, runs one command, reports how it ended.
#include <sys/stat.h>

#include <exception>
#include <iostream>

#include "fieldsync/command_line.h"
#include "fieldsync/report.h"

namespace {

using namespace fieldsync;

int run(int argc, const char* const* argv) {
  const cli::Invocation invocation = cli::parse_command_line(argc, argv);
  if (invocation.exit_code) return *invocation.exit_code;
  const auto done = invocation.run(invocation.settings);
  if (!done) return cli::report_error(done.error(), invocation.settings.json);
  std::cout.flush();
  if (std::cout) return cli::exit_done;
  return cli::report_error({Errc::storage_failed, "Standard output could not be written."}, invocation.settings.json);
}

}  // namespace

int main(int argc, char** argv) {
  // Stores and exports are for their owner only.
  umask(S_IRWXG | S_IRWXO);
  try {
    return run(argc, argv);
  } catch (const std::exception& failure) {
    return cli::report_error({Errc::internal_error, failure.what()}, false);
  }
}
