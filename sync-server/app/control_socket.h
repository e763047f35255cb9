// control_socket.h: how an administrator's command reaches the server that has
// the database open: a Unix socket in the server's folder, for its owner only.
#pragma once

#include <chrono>
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
// Called on several threads at once.
using RunCommand = std::function<CommandResult(const std::vector<std::string>& arguments, const TellProgress& tell)>;

// How long whoever gave a command may take to read on, or to send the rest of it.
inline constexpr std::chrono::milliseconds peer_patience{10'000};

// Serves commands until it is destroyed: up to eight at once, each on one thread; others wait until one has ended.
// A command is carried out to its end also where whoever gave it has gone, or where the server stops.
class ControlSocket {
 public:
  // invalid_argument: the path is too long for a socket. storage_failed: it cannot be made.
  [[nodiscard]] static Result<std::unique_ptr<ControlSocket>> listen(
      const std::filesystem::path& path, RunCommand run, std::chrono::milliseconds patience = peer_patience);
  ~ControlSocket();
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

 private:
  class Listener;
  explicit ControlSocket(std::unique_ptr<Listener> listener);
  std::unique_ptr<Listener> listener_;
};

// Nothing where no server took the command; it may then be carried out otherwise. An error
// where one took it and ended before it answered: nobody knows whether it was carried out; and where the path is too
// long for a socket.
[[nodiscard]] Result<std::optional<CommandResult>> send_command(const std::filesystem::path& path,
                                                                const std::vector<std::string>& arguments,
                                                                const TellProgress& tell);

}  // namespace fieldsync::server
