#include "app/control_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstring>
#include <system_error>
#include <thread>

namespace fieldsync::server {
namespace {

namespace json = boost::json;

constexpr int backlog = 8;

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = path.string();
  if (name.size() >= sizeof address.sun_path) throw std::system_error(ENAMETOOLONG, std::generic_category(), name);
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

// A message ends where its sender shuts its side.
std::string read_all(int socket) {
  std::string text;
  char buffer[16384];
  ssize_t got = 0;
  while ((got = ::read(socket, buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

void write_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

class ControlSocket::Listener {
 public:
  Listener(const std::filesystem::path& path, RunCommand run) : path_(path), run_(std::move(run)) {
    ::unlink(path.c_str());
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(path);
    const mode_t mask = ::umask(0077);
    const bool listening =
        socket_ >= 0 && ::bind(socket_, generic(address), sizeof address) == 0 && ::listen(socket_, backlog) == 0;
    ::umask(mask);
    if (!listening) throw std::system_error(errno, std::generic_category(), path.string());
    thread_ = std::thread([this] { serve(); });
  }

  ~Listener() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
    ::unlink(path_.c_str());
  }

 private:
  void serve() {
    while (true) {
      const int peer = ::accept(socket_, nullptr, nullptr);
      if (peer < 0) return;
      answer(peer);
      ::close(peer);
    }
  }

  void answer(int peer) {
    CommandResult result;
    boost::system::error_code error;
    const json::value parsed = json::parse(read_all(peer), error);
    if (error || !parsed.is_array()) return;
    std::vector<std::string> arguments;
    for (const json::value& argument : parsed.as_array()) {
      if (argument.is_string()) arguments.emplace_back(argument.as_string());
    }
    result = run_(arguments);
    write_all(peer,
              json::serialize(json::object{{"exit", result.exit_code}, {"out", result.output}, {"err", result.error}}));
  }

  std::filesystem::path path_;
  RunCommand run_;
  int socket_ = -1;
  std::thread thread_;
};

ControlSocket::ControlSocket(const std::filesystem::path& path, RunCommand run)
    : listener_(std::make_unique<Listener>(path, std::move(run))) {}

ControlSocket::~ControlSocket() = default;

std::optional<CommandResult> send_command(const std::filesystem::path& path,
                                          const std::vector<std::string>& arguments) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(path);
  std::optional<CommandResult> result;
  if (socket >= 0 && ::connect(socket, generic(address), sizeof address) == 0) {
    json::array list;
    for (const std::string& argument : arguments) list.emplace_back(argument);
    write_all(socket, json::serialize(list));
    ::shutdown(socket, SHUT_WR);
    boost::system::error_code error;
    const json::value parsed = json::parse(read_all(socket), error);
    if (!error && parsed.is_object()) {
      const json::object& object = parsed.as_object();
      result = CommandResult{static_cast<int>(object.at("exit").as_int64()), std::string(object.at("out").as_string()),
                             std::string(object.at("err").as_string())};
    }
  }
  if (socket >= 0) ::close(socket);
  return result;
}

}  // namespace fieldsync::server
