// commands.h: the command line of fieldsync-server. Parsing is apart from doing:
// administrators' commands run in this process or in the running server.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include "app/configuration.h"
#include "app/verify.h"
#include "core/result.h"
#include "service/attachment_service.h"
#include "service/sync_service.h"
#include "store/store.h"

namespace fieldsync::server {

// Has its effect where the command was given, not where it runs.
using ReportProgress = std::function<void(std::uint64_t done, std::uint64_t all)>;

// What a command may ask of the server that runs.
struct RunningServer {
  std::function<Result<void>()> reload_certificate;
  // What is under way with a device ends at once; it may come back, and is judged anew.
  std::function<void(const DeviceRow&)> end_connections_of;
};

// Commands run beside each other; these are taken by those that cannot run beside another of their kind.
struct CommandLocks {
  std::mutex imports;       // the office's device numbers what it writes
  std::mutex certificates;  // the files
};

// What an administrator's command works with.
struct Administration {
  const Configuration& configuration;
  Store& store;
  SyncService& sync;
  AttachmentService& attachments;
  const Clock& clock;
  CommandLocks& locks;
  std::ostream& out;
  ReportProgress on_progress;              // may be empty
  const RunningServer* running = nullptr;  // where one does
};

using AdministratorCommand = std::function<Result<void>(Administration&)>;

struct InitOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8443;
};

struct Invocation {
  enum class Kind : std::uint8_t { help, wrong_usage, init, serve, verify, administration };
  Kind kind = Kind::help;
  std::filesystem::path folder;
  std::string text;     // help: to print; wrong_usage: what to say
  std::string command;  // its words, for the log: "device revoke"
  InitOptions init;
  VerifyRequest verify;
  AdministratorCommand administration;
};

// `working_folder`: where relative file names are looked for.
[[nodiscard]] Invocation parse_command_line(const std::vector<std::string>& arguments,
                                            const std::filesystem::path& working_folder);

}  // namespace fieldsync::server
