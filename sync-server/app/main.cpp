// fieldsync-server: see app/commands.cpp for its commands.
#include <sodium.h>

#include <unistd.h>
#include <filesystem>
#include <iostream>

#include "app/event_log.h"
#include "app/serve.h"

namespace {

using namespace fieldsync;
using namespace fieldsync::server;

int report(const Error& error) {
  std::cerr << "fieldsync-server: " << error.message() << " [" << describe(error.code).name << "]\n";
  return 1;
}

// On a terminal, how far a long command has come.
TellProgress progress_on_terminal() {
  if (::isatty(STDERR_FILENO) != 1) return {};
  return [](std::uint64_t done, std::uint64_t all) {
    constexpr std::uint64_t width = 40;
    const std::uint64_t filled = all == 0 ? 0 : width * done / all;
    std::cerr << "\r[" << std::string(filled, '#') << std::string(width - filled, '.') << "] "
              << (all == 0 ? 0 : 100 * done / all) << " %" << (done == all ? "\n" : "") << std::flush;
  };
}

int verify(VerifyRequest request) {
  request.on_progress = progress_on_terminal();
  const auto verified = verify_history(request, std::cout);
  return verified ? *verified : report(verified.error());
}

int run(const std::vector<std::string>& arguments) {
  const auto working_folder = std::filesystem::current_path();
  const Invocation invocation = parse_command_line(arguments, working_folder);
  if (invocation.kind == Invocation::Kind::help) {
    std::cout << invocation.text;
    return 0;
  }
  if (invocation.kind == Invocation::Kind::wrong_usage) {
    std::cerr << invocation.text;
    return 2;
  }
  if (invocation.kind == Invocation::Kind::init) {
    const auto made = make_server(invocation.folder, invocation.init, std::cout);
    return made ? 0 : report(made.error());
  }
  if (invocation.kind == Invocation::Kind::verify) return verify(invocation.verify);
  auto configuration = read_configuration(invocation.folder);
  if (!configuration) return report(configuration.error());
  if (invocation.kind == Invocation::Kind::serve) {
    const auto served = serve(*configuration);
    return served ? 0 : report(served.error());
  }
  const CommandResult result = administrate(*configuration, arguments, working_folder, progress_on_terminal());
  std::cout << result.output;
  std::cerr << result.error;
  return result.exit_code;
}

}  // namespace

int main(int count, char** values) {
  if (sodium_init() < 0) {
    std::cerr << "fieldsync-server: the random number generator could not be started.\n";
    return 1;
  }
  try {
    return run({values + 1, values + count});
  } catch (const std::exception& error) {
    // Its text may hold anything.
    return report({Errc::internal_error, "Something went wrong: " + type_of(error) + "."});
  }
}
