// server_process.h: a real server in a folder of its own, what it takes of the machine, and a device's key that
// it has enrolled.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "load/tls_client.h"
#include "support/process.h"
#include "support/temporary_folder.h"
#include "tls/key_pair.h"

namespace fieldsync::load {

struct Usage {
  std::uint64_t resident_bytes = 0;
  std::size_t descriptors = 0;
  std::size_t threads = 0;
};

class ServerProcess {
 public:
  // With these lines of its settings in the place of those that `init` wrote; each "name = value". `program`: the one
  // to start; empty: the one that was built.
  explicit ServerProcess(const std::vector<std::string>& settings, const std::string& program = {});

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] pid_t id() const { return process_->id(); }
  [[nodiscard]] bool running() { return process_->running(); }
  [[nodiscard]] Usage usage() const;
  // The peer's end of each connection that the server has not closed: address and port, as the kernel writes them.
  [[nodiscard]] std::set<std::string> peers() const;
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  // Shows an enrolled key.
  [[nodiscard]] const ClientContext& enrolled() const { return enrolled_; }
  [[nodiscard]] const tls::KeyPair& enrolled_key() const { return enrolled_key_; }
  // Shows one that nobody has enrolled.
  [[nodiscard]] const ClientContext& stranger() const { return stranger_; }
  // Has an attachment of so many bytes brought to the office by an app; its address there.
  [[nodiscard]] std::string bring_attachment(std::size_t bytes);

 private:
  testing::Finished administer(std::vector<std::string> arguments) const;
  [[nodiscard]] std::string new_code() const;
  void change_settings(const std::vector<std::string>& settings) const;
  void enrol_key();

  testing::TemporaryFolder folder_;
  std::string program_;
  int port_ = 0;
  std::unique_ptr<testing::Process> process_;
  tls::KeyPair enrolled_key_ = tls::make_device_key();
  ClientContext enrolled_{enrolled_key_};
  ClientContext stranger_{tls::make_device_key()};
};

// A request to sync of which there is nothing new, and the cheapest one that keeps a connection open.
[[nodiscard]] std::string sync_request();
[[nodiscard]] std::string missing_attachment_request();

}  // namespace fieldsync::load
