#include "app/configuration.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>
#include <toml++/toml.h>

namespace fieldsync::server {
namespace {

Error wrong(const std::filesystem::path& file, const std::string& what) {
  return {Errc::invalid_argument, file.string() + ": " + what};
}

Result<void> check_names(const toml::table& table, const std::filesystem::path& file) {
  static const std::set<std::string_view> known{"listen_address", "port", "public_address", "code_lifetime_minutes", "blocking_threads", "log_level"};
  for (const auto& [name, value] : table) {
    if (known.contains(name.str())) continue;
    return wrong(file, "line " + std::to_string(value.source().begin.line) + ": there is no setting '" + std::string(name.str()) + "'.");
  }
  return {};
}

}  // namespace

Result<Configuration> read_configuration(const std::filesystem::path& folder) {
  Configuration configuration;
  configuration.folder = folder;
  const auto file = configuration.file();
  if (!std::filesystem::exists(file)) {
    return Error{Errc::not_found, "There is no server in " + folder.string() + ". Make one: fieldsync-server --dir " + folder.string() + " init"};
  }
  try {
    const toml::table table = toml::parse_file(file.string());
    if (auto checked = check_names(table, file); !checked) return checked.error();
    configuration.listen_address = table["listen_address"].value_or(configuration.listen_address);
    const auto port = table["port"].value_or(static_cast<std::int64_t>(configuration.port));
    if (port < 0 || port > 65535) return wrong(file, "port must be from 0 to 65535.");
    configuration.port = static_cast<std::uint16_t>(port);
    configuration.public_address = table["public_address"].value_or(configuration.public_address);
    configuration.code_lifetime_minutes = table["code_lifetime_minutes"].value_or(configuration.code_lifetime_minutes);
    const auto threads = table["blocking_threads"].value_or(std::int64_t{8});
    if (threads < 1 || threads > 256) return wrong(file, "blocking_threads must be from 1 to 256.");
    configuration.blocking_threads = static_cast<std::size_t>(threads);
    configuration.log_level = table["log_level"].value_or(configuration.log_level);
    return configuration;
  } catch (const toml::parse_error& error) {
    return wrong(file, "line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()) + ".");
  }
}

std::string configuration_text(const Configuration& configuration) {
  std::ostringstream text;
  text << "# fieldsync-server: settings. Restart the server after a change.\n\n"
       << "# The address and port to listen on. 0.0.0.0 listens on every interface.\n"
       << "listen_address = \"" << configuration.listen_address << "\"\n"
       << "port = " << configuration.port << "\n\n"
       << "# What enrolment texts tell devices to connect to.\n"
       << "public_address = \"" << configuration.public_address << "\"\n\n"
       << "# How long an enrolment code may be used.\n"
       << "code_lifetime_minutes = " << configuration.code_lifetime_minutes << "\n\n"
       << "# Threads for database work.\n"
       << "blocking_threads = " << configuration.blocking_threads << "\n\n"
       << "# trace, debug, info, warn or error.\n"
       << "log_level = \"" << configuration.log_level << "\"\n";
  return text.str();
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Error{Errc::not_found, "The file " + path.string() + " cannot be read."};
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

Result<void> write_private_file(const std::filesystem::path& path, const std::string& content) {
  const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return Error{Errc::storage_failed, "The file " + path.string() + " exists already or cannot be made."};
  const bool written = ::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!written) return Error{Errc::storage_full, "The file " + path.string() + " could not be written."};
  return {};
}

}  // namespace fieldsync::server
