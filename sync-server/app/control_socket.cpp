#include "app/control_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstring>
#include <sstream>
#include <system_error>
#include <thread>

namespace fieldsync::server {
namespace {

namespace json = boost::json;

constexpr int backlog = 8;

// A server says this when it takes a connection; before, a command has not reached anybody.
constexpr char ready = '+';

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = path.string();
  if (name.size() >= sizeof address.sun_path) throw std::system_error(ENAMETOOLONG, std::generic_category(), name);
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

// Lines before the answer: "~done all".
constexpr char progress = '~';

// Takes the lines at the beginning of `text` that tell of progress.
void take_progress(std::string& text, const TellProgress& tell) {
  while (!text.empty() && text.front() == progress) {
    const std::size_t end = text.find('\n');
    if (end == std::string::npos) return;
    std::istringstream line(text.substr(1, end - 1));
    std::uint64_t done = 0;
    std::uint64_t all = 0;
    if (line >> done >> all && tell) tell(done, all);
    text.erase(0, end + 1);
  }
}

// A message ends where its sender shuts its side.
std::string read_all(int socket, const TellProgress& tell = {}) {
  std::string text;
  char buffer[16384];
  ssize_t got = 0;
  while ((got = ::read(socket, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<std::size_t>(got));
    take_progress(text, tell);
  }
  return text;
}

void write_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

class Connected {
 public:
  explicit Connected(const std::filesystem::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = address_of(path);
    char greeting = 0;
    taken_ = socket_ >= 0 && ::connect(socket_, generic(address), sizeof address) == 0 &&
             ::read(socket_, &greeting, 1) == 1 && greeting == ready;
  }
  ~Connected() {
    if (socket_ >= 0) ::close(socket_);
  }
  Connected(const Connected&) = delete;
  Connected& operator=(const Connected&) = delete;

  [[nodiscard]] bool is_taken() const { return taken_; }
  [[nodiscard]] int descriptor() const { return socket_; }

 private:
  int socket_;
  bool taken_ = false;
};

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
    write_all(peer, {&ready, 1});
    boost::system::error_code error;
    const json::value parsed = json::parse(read_all(peer), error);
    if (error || !parsed.is_array()) return;
    std::vector<std::string> arguments;
    for (const json::value& argument : parsed.as_array()) {
      if (argument.is_string()) arguments.emplace_back(argument.as_string());
    }
    const CommandResult result = run_(arguments, [&](std::uint64_t done, std::uint64_t all) {
      write_all(peer, progress + std::to_string(done) + " " + std::to_string(all) + "\n");
    });
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

Result<std::optional<CommandResult>> send_command(const std::filesystem::path& path,
                                                  const std::vector<std::string>& arguments, const TellProgress& tell) {
  const Connected socket(path);
  if (!socket.is_taken()) return std::optional<CommandResult>();
  json::array list;
  for (const std::string& argument : arguments) list.emplace_back(argument);
  write_all(socket.descriptor(), json::serialize(list));
  ::shutdown(socket.descriptor(), SHUT_WR);
  boost::system::error_code error;
  const json::value parsed = json::parse(read_all(socket.descriptor(), tell), error);
  if (error || !parsed.is_object()) {
    return Error{Errc::connection_lost,
                 "The server ended before it answered. See whether the command was carried out before you give it "
                 "again."};
  }
  const json::object& object = parsed.as_object();
  return std::optional(CommandResult{static_cast<int>(object.at("exit").as_int64()),
                                     std::string(object.at("out").as_string()),
                                     std::string(object.at("err").as_string()),
                                     {}});
}

}  // namespace fieldsync::server
