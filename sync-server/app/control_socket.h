// control_socket.h: how an administrator's command reaches the server that has
// the database open: a Unix socket in the server's folder, for its owner only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"

namespace fieldsync::server {

struct CommandResult {
  int exit_code = 0;
  std::string output;
  std::string error;
  std::string outcome = "ok";  // or the code of the refusal; not handed over
};

// How far a long command has come, for whoever gave it.
using TellProgress = std::function<void(std::uint64_t done, std::uint64_t all)>;
using RunCommand = std::function<CommandResult(const std::vector<std::string>& arguments, const TellProgress& tell)>;

// Serves one command after another until it is destroyed.
class ControlSocket {
 public:
  // Throws std::system_error where the socket cannot be made.
  ControlSocket(const std::filesystem::path& path, RunCommand run);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  class Listener;
  std::unique_ptr<Listener> listener_;
};

// Nothing where no server took the command; it may then be carried out otherwise. An error
// where one took it and ended before it answered: nobody knows whether it was carried out.
[[nodiscard]] Result<std::optional<CommandResult>> send_command(const std::filesystem::path& path,
                                                                const std::vector<std::string>& arguments,
                                                                const TellProgress& tell);

}  // namespace fieldsync::server
