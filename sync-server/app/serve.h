// serve.h: puts the server together: makes a new one, serves, or runs one
// administrator's command.
#pragma once

#include <string>
#include <vector>

#include "app/commands.h"
#include "app/control_socket.h"

namespace fieldsync::server {

[[nodiscard]] Result<void> make_server(const std::filesystem::path& folder, const InitOptions& options,
                                       std::ostream& out);

// Serves until SIGINT or SIGTERM. Pre: no other thread runs.
[[nodiscard]] Result<void> serve(const Configuration& configuration);

// In the running server, or here where none runs.
[[nodiscard]] CommandResult administrate(const Configuration& configuration, const std::vector<std::string>& arguments,
                                         const std::filesystem::path& working_folder, const TellProgress& tell);

}  // namespace fieldsync::server
