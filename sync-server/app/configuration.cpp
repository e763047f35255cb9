#include "app/configuration.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <toml++/toml.h>
#include <array>
#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>

namespace fieldsync::server {
namespace {

constexpr std::int64_t connections_bound = 100'000;
constexpr std::int64_t minutes_in_a_year = 365 * 24 * 60;
const std::set<std::string_view> log_levels{"trace", "debug", "info", "warn", "error"};

Error wrong(const std::filesystem::path& file, const std::string& what) {
  return {Errc::invalid_argument, file.string() + ": " + what};
}

Result<void> check_names(const toml::table& table, const std::filesystem::path& file) {
  static const std::set<std::string_view> known{"listen_address",
                                                "port",
                                                "public_address",
                                                "code_lifetime_minutes",
                                                "blocking_threads",
                                                "connections_max",
                                                "connections_per_address_max",
                                                "strangers_per_address_max",
                                                "requests_waiting_max",
                                                "log_level",
                                                "log_format",
                                                "log_addresses"};
  for (const auto& [name, value] : table) {
    if (known.contains(name.str())) continue;
    return wrong(file, "line " + std::to_string(value.source().begin.line) + ": there is no setting '" +
                           std::string(name.str()) + "'.");
  }
  return {};
}

// Takes a setting where the file has it. One of another type is refused: it would
// otherwise count as absent, and the server would run with the default.
struct Settings {
  const toml::table& table;
  const std::filesystem::path& file;

  Result<void> text(std::string_view name, std::string& into) const {
    const toml::node* node = table.get(name);
    if (node == nullptr) return {};
    if (!node->is_string()) return wrong(file, std::string(name) + " must be a text in quotes.");
    into = node->ref<std::string>();
    return {};
  }

  Result<void> flag(std::string_view name, bool& into) const {
    const toml::node* node = table.get(name);
    if (node == nullptr) return {};
    if (!node->is_boolean()) return wrong(file, std::string(name) + " must be true or false.");
    into = node->ref<bool>();
    return {};
  }

  template <typename Number>
  Result<void> number(std::string_view name, std::int64_t least, std::int64_t most, Number& into) const {
    const toml::node* node = table.get(name);
    if (node == nullptr) return {};
    const std::int64_t given = node->is_integer() ? node->ref<std::int64_t>() : least - 1;
    if (given < least || given > most) {
      return wrong(file, std::string(name) + " must be a number from " + std::to_string(least) + " to " +
                             std::to_string(most) + ".");
    }
    into = static_cast<Number>(given);
    return {};
  }
};

// In quotes, as TOML wants it.
toml::value<std::string> quoted(const std::string& text) { return toml::value<std::string>(text); }

}  // namespace

Result<Configuration> read_configuration(const std::filesystem::path& folder) {
  Configuration configuration;
  configuration.folder = folder;
  const auto there = is_there(configuration.file());
  if (!there) return there.error();
  if (!*there) {
    return Error{Errc::not_found, "There is no server in " + folder.string() + ". Make one: fieldsync-server --dir " +
                                      folder.string() + " init"};
  }
  const auto text = read_file(configuration.file());
  return text ? parse_configuration(*text, folder) : Result<Configuration>(text.error());
}

Result<Configuration> parse_configuration(std::string_view text, const std::filesystem::path& folder) {
  Configuration configuration;
  configuration.folder = folder;
  const auto file = configuration.file();
  try {
    const toml::table table = toml::parse(text);
    if (auto checked = check_names(table, file); !checked) return checked.error();
    const Settings settings{table, file};
    auto done = settings.text("listen_address", configuration.listen_address);
    if (done) done = settings.number("port", 0, 65'535, configuration.port);
    if (done) done = settings.text("public_address", configuration.public_address);
    if (done)
      done = settings.number("code_lifetime_minutes", 1, minutes_in_a_year, configuration.code_lifetime_minutes);
    if (done) done = settings.number("blocking_threads", 1, 256, configuration.blocking_threads);
    if (done) done = settings.number("connections_max", 1, connections_bound, configuration.connections_max);
    if (done) {
      done = settings.number("connections_per_address_max", 1, connections_bound,
                             configuration.connections_per_address_max);
    }
    if (done) {
      done =
          settings.number("strangers_per_address_max", 1, connections_bound, configuration.strangers_per_address_max);
    }
    if (done) done = settings.number("requests_waiting_max", 1, connections_bound, configuration.requests_waiting_max);
    if (done) done = settings.text("log_level", configuration.log_level);
    if (done) done = settings.text("log_format", configuration.log_format);
    if (done) done = settings.flag("log_addresses", configuration.log_addresses);
    if (!done) return done.error();
    if (!log_levels.contains(configuration.log_level))
      return wrong(file, "log_level must be trace, debug, info, warn or error.");
    if (configuration.log_format != "text" && configuration.log_format != "json")
      return wrong(file, "log_format must be text or json.");
    return configuration;
  } catch (const toml::parse_error& error) {
    return wrong(file,
                 "line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()) + ".");
  }
}

std::string configuration_text(const Configuration& configuration) {
  std::ostringstream text;
  text << "# fieldsync-server: settings. Restart the server after a change.\n\n"
       << "# The address and port to listen on. 0.0.0.0 listens on every interface.\n"
       << "listen_address = " << quoted(configuration.listen_address) << "\n"
       << "port = " << configuration.port << "\n\n"
       << "# What enrolment texts tell devices to connect to.\n"
       << "public_address = " << quoted(configuration.public_address) << "\n\n"
       << "# How long an enrolment code may be used.\n"
       << "code_lifetime_minutes = " << configuration.code_lifetime_minutes << "\n\n"
       << "# Threads for database work.\n"
       << "blocking_threads = " << configuration.blocking_threads << "\n\n"
       << "# Connections that may be open, in all and from one address (of IPv6: from one network of 64 bits). Behind "
          "a\n"
       << "# proxy all of them come from one.\n"
       << "connections_max = " << configuration.connections_max << "\n"
       << "connections_per_address_max = " << configuration.connections_per_address_max << "\n\n"
       << "# Of those from one address, how many may be of devices that have not yet asked for something with an "
          "enrolled "
          "key.\n"
       << "# Where another one comes, the one of them that came first is closed.\n"
       << "strangers_per_address_max = " << configuration.strangers_per_address_max << "\n\n"
       << "# Requests that may wait for one of blocking_threads. Those that come then are refused, with 503, and are "
          "sent "
          "again\n"
       << "# a little later.\n"
       << "requests_waiting_max = " << configuration.requests_waiting_max << "\n\n"
       << "# trace, debug, info, warn or error.\n"
       << "log_level = " << quoted(configuration.log_level) << "\n\n"
       << "# text: name=value. json: an object a line.\n"
       << "log_format = " << quoted(configuration.log_format) << "\n\n"
       << "# Whether the log names where requests come from (of IPv6 the network of 64 bits).\n"
       << "log_addresses = " << (configuration.log_addresses ? "true" : "false") << "\n";
  return text.str();
}

Result<bool> is_there(const std::filesystem::path& path) {
  std::error_code unknown;
  const bool there = std::filesystem::exists(path, unknown);
  if (unknown) return Error{Errc::storage_failed, path.string() + " cannot be reached: " + unknown.message() + "."};
  return there;
}

Result<std::string> read_file(const std::filesystem::path& path) {
  const auto there = is_there(path);
  if (!there) return there.error();
  if (!*there) return Error{Errc::not_found, "There is no file " + path.string() + "."};
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Error{Errc::storage_failed, "The file " + path.string() + " cannot be read."};
  std::string content;
  std::array<char, 4096> part{};
  while (stream.read(part.data(), part.size()) || stream.gcount() > 0)
    content.append(part.data(), static_cast<std::size_t>(stream.gcount()));
  if (stream.bad()) return Error{Errc::storage_failed, "The file " + path.string() + " cannot be read to its end."};
  return content;
}

Result<void> write_private_file(const std::filesystem::path& path, const std::string& content) {
  const std::filesystem::path draft = path.string() + ".new";
  ::unlink(draft.c_str());  // of one that was killed
  const int file = ::open(draft.c_str(), O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return Error{Errc::storage_failed, "The file " + draft.string() + " cannot be made."};
  const ssize_t count = ::write(file, content.data(), content.size());
  const bool whole = count == static_cast<ssize_t>(content.size());
  const bool written = whole && ::fsync(file) == 0;
  // A part alone is written where no more fits.
  const bool is_full = !written && ((count >= 0 && !whole) || errno == ENOSPC || errno == EDQUOT || errno == EFBIG);
  const bool closed = ::close(file) == 0;
  if (!written || !closed) {
    ::unlink(draft.c_str());
    return Error{is_full ? Errc::storage_full : Errc::storage_failed,
                 "The file " + path.string() + " could not be written."};
  }
  const int folder = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool in_place = folder >= 0 && ::rename(draft.c_str(), path.c_str()) == 0;
  const bool durable = in_place && ::fsync(folder) == 0;
  if (folder >= 0) ::close(folder);
  if (!in_place) ::unlink(draft.c_str());
  if (!durable) return Error{Errc::storage_failed, "The file " + path.string() + " could not be put in its place."};
  return {};
}

}  // namespace fieldsync::server
