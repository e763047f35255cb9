// test_server.h: a real server process in a temporary folder, and the stores of
// real app processes beside it.
#pragma once

#include <memory>
#include <string>

#include "fieldsync/database.h"
#include "support/process.h"
#include "support/temporary_folder.h"

namespace fieldsync::testing {

class TestServer {
 public:
  // Makes a server with the scope 'Osh region' and the monitor 'Bakyt', and starts it.
  TestServer();

  // Waits until it accepts connections. `before`: a command that takes the server's as its arguments, for example
  // one that limits it.
  void start(std::vector<std::string> before = {});
  [[nodiscard]] bool running() const { return process_->running(); }
  [[nodiscard]] pid_t process() const { return process_->id(); }
  void kill() { process_->kill(); }
  // As an operator stops it. Its exit code.
  int stop();

  [[nodiscard]] std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  // Opens every store here; a passphrase would take its second at each command.
  [[nodiscard]] std::string key_file() const { return path("key"); }

  // `fieldsync-server --dir ... arguments`
  Finished administer(std::vector<std::string> arguments) const;
  // `fieldsync --store ... arguments`
  Finished app(const std::string& store, std::vector<std::string> arguments) const;
  [[nodiscard]] std::vector<std::string> app_command(const std::string& store,
                                                     std::vector<std::string> arguments) const;

  [[nodiscard]] std::string enrolment_text() const;
  // Enrols the store as Bakyt's and syncs it once.
  void enrol(const std::string& store) const;
  // A store beside this process's own, unlocked; made where there is none.
  [[nodiscard]] std::unique_ptr<Database> open(const std::string& store) const;
  // The first scope's digest: at the server, and on a device.
  [[nodiscard]] std::string digest() const;
  [[nodiscard]] std::string digest(const std::string& store) const;

 private:
  TemporaryFolder folder_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

// The value of the first `"name":` in JSON, without quotes.
[[nodiscard]] std::string json_value(const std::string& json, const std::string& name);

}  // namespace fieldsync::testing
