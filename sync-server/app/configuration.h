// configuration.h: one folder holds a server: fieldsync-server.toml, its keys,
// database and attachments. Every setting has a default that works.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fieldsync::server {

struct Configuration {
  std::filesystem::path folder;
  std::string listen_address = "127.0.0.1";
  std::uint16_t port = 8443;
  // What devices are told to connect to: "host:port".
  std::string public_address = "127.0.0.1:8443";
  std::int64_t code_lifetime_minutes = 24 * 60;
  std::size_t blocking_threads = 8;
  std::size_t connections_max = 5'000;
  std::size_t connections_per_address_max = 500;
  std::size_t strangers_per_address_max = 50;
  std::size_t requests_waiting_max = 256;
  std::string log_level = "info";
  std::string log_format = "text";
  bool log_addresses = false;

  [[nodiscard]] std::filesystem::path file() const { return folder / "fieldsync-server.toml"; }
  [[nodiscard]] std::filesystem::path database() const { return folder / "fieldsync-server.db"; }
  [[nodiscard]] std::filesystem::path attachments() const { return folder / "attachments"; }
  [[nodiscard]] std::filesystem::path key() const { return folder / "server.key"; }
  [[nodiscard]] std::filesystem::path certificate() const { return folder / "server.crt"; }
  [[nodiscard]] std::filesystem::path log_key() const { return folder / "log.key"; }
  [[nodiscard]] std::filesystem::path spare_key() const { return folder / "spare.key"; }
  [[nodiscard]] std::filesystem::path spare_certificate() const { return folder / "spare.crt"; }
  [[nodiscard]] std::filesystem::path control_socket() const { return folder / "control.sock"; }
};

// not_found: no such file (run init). invalid_argument: names the line.
[[nodiscard]] Result<Configuration> read_configuration(const std::filesystem::path& folder);
// The file's content; `folder` is where it stands.
[[nodiscard]] Result<Configuration> parse_configuration(std::string_view text, const std::filesystem::path& folder);
// With a comment at each setting.
[[nodiscard]] std::string configuration_text(const Configuration& configuration);

[[nodiscard]] Result<bool> is_there(const std::filesystem::path& path);
// not_found: no such file.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path);
// Readable by its owner only, and whole, or not there; durable where it succeeds. Replaces
// what is there.
[[nodiscard]] Result<void> write_private_file(const std::filesystem::path& path, const std::string& content);

}  // namespace fieldsync::server
