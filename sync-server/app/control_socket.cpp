#include "app/control_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <sstream>
#include <system_error>
#include <thread>

namespace fieldsync::server {
namespace {

namespace json = boost::json;

constexpr int backlog = 8;
constexpr std::size_t commands_at_once_max = 8;
// After an accept that failed, for want of descriptors or memory.
constexpr std::chrono::milliseconds accept_pause{100};

// A server says this when it takes a connection; before, a command has not reached anybody.
constexpr char ready = '+';

Result<sockaddr_un> address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = path.string();
  if (name.size() >= sizeof address.sun_path) {
    return Error{Errc::invalid_argument, "The path " + name + " has " + std::to_string(name.size()) +
                                             " bytes, and a socket's may have " +
                                             std::to_string(sizeof address.sun_path - 1) +
                                             ". Move the server's folder to a shorter path, or go to it and name it "
                                             "from there: --dir ."};
  }
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

// A message ends where its sender shuts its side. Nothing where it did not come to its end.
std::optional<std::string> read_all(int socket, const TellProgress& tell = {}) {
  std::string text;
  char buffer[16384];
  while (true) {
    const ssize_t got = ::read(socket, buffer, sizeof buffer);
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    text.append(buffer, static_cast<std::size_t>(got));
    take_progress(text, tell);
  }
}

bool write_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

class Connected {
 public:
  explicit Connected(const sockaddr_un& address) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
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

// Whoever gave a command. Once they have gone, or do not read in time, nothing more is sent to them.
class Teller {
 public:
  explicit Teller(int socket) : socket_(socket) {}

  void write(std::string_view text) { listens_ = listens_ && write_all(socket_, text); }

 private:
  int socket_;
  bool listens_ = true;
};

void set_patience(int socket, std::chrono::milliseconds patience) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
  const timeval limit{seconds.count(), std::chrono::microseconds(patience - seconds).count()};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

// -1 where it cannot be made; errno says why.
int listening_socket(const std::filesystem::path& path, const sockaddr_un& address) {
  ::unlink(path.c_str());
  const int made = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made < 0) return -1;
  const mode_t mask = ::umask(0077);
  const bool listens = ::bind(made, generic(address), sizeof address) == 0 && ::listen(made, backlog) == 0;
  ::umask(mask);
  if (listens) return made;
  const int problem = errno;
  ::close(made);
  errno = problem;
  return -1;
}

std::vector<std::string> arguments_in(const json::value& message) {
  std::vector<std::string> arguments;
  if (!message.is_array()) return arguments;
  for (const json::value& argument : message.as_array()) {
    if (argument.is_string()) arguments.emplace_back(argument.as_string());
  }
  return arguments;
}

CommandResult not_utf8() {
  return {
      2, "",
      "fieldsync-server: A running server takes commands in UTF-8 only: what is given, the names of files, and that "
      "of the folder where the command is given. Set the terminal to UTF-8.\n",
      "wrong_usage"};
}

}  // namespace

class ControlSocket::Listener {
 public:
  Listener(const std::filesystem::path& path, int socket, RunCommand run, std::chrono::milliseconds patience)
      : path_(path), socket_(socket), run_(std::move(run)), patience_(patience) {
    peers_.fill(none);
  }

  void start() {
    for (std::size_t i = 0; i < threads_.size(); ++i) threads_[i] = std::thread([this, i] { serve(peers_[i]); });
  }

  // Commands that are under way come to their end. A message that has not come whole is not waited for.
  ~Listener() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const int peer : peers_) {
        if (peer != none) ::shutdown(peer, SHUT_RD);
      }
    }
    stops_.notify_all();
    ::shutdown(socket_, SHUT_RDWR);
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    ::close(socket_);
    ::unlink(path_.c_str());
  }

 private:
  static constexpr int none = -1;

  // `place`: where the destructor finds the peer.
  void serve(int& place) {
    while (true) {
      const int peer = next_peer();
      if (peer == none) {
        if (stops_within(accept_pause)) return;
        continue;
      }
      if (!occupy(place, peer)) return;
      try {
        answer(peer);
      } catch (const std::exception&) {
        // Of memory there was not even enough for an answer: the peer is told that there is none.
      }
      leave(place);
    }
  }

  // Every thread waits for it with poll: one that waits with accept has a descriptor set aside.
  int next_peer() const {
    while (true) {
      pollfd waits{socket_, POLLIN, 0};
      if (::poll(&waits, 1, -1) < 0 && errno != EINTR) return none;
      if ((waits.revents & POLLHUP) != 0) return none;  // the server stops
      const int peer = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      const bool another_took_it = peer < 0 && (errno == EAGAIN || errno == EINTR);
      if (!another_took_it) return peer;
    }
  }

  bool stops_within(std::chrono::milliseconds pause) {
    std::unique_lock lock(mutex_);
    return stops_.wait_for(lock, pause, [this] { return stopping_; });
  }

  bool occupy(int& place, int peer) {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      ::close(peer);
      return false;
    }
    place = peer;
    return true;
  }

  // Closed while nobody else may shut it.
  void leave(int& place) {
    const std::lock_guard lock(mutex_);
    ::close(place);
    place = none;
  }

  void answer(int peer) {
    set_patience(peer, patience_);
    Teller teller(peer);
    teller.write({&ready, 1});
    const auto message = read_all(peer);
    if (!message) return;
    boost::system::error_code error;
    const json::value parsed = json::parse(*message, error);
    if (error == json::error::incomplete) return;  // whoever gave it went before its end
    const CommandResult result = error ? not_utf8() : carry_out(arguments_in(parsed), teller);
    teller.write(
        json::serialize(json::object{{"exit", result.exit_code}, {"out", result.output}, {"err", result.error}}));
  }

  CommandResult carry_out(const std::vector<std::string>& arguments, Teller& teller) {
    return run_(arguments, [&](std::uint64_t done, std::uint64_t all) {
      teller.write(progress + std::to_string(done) + " " + std::to_string(all) + "\n");
    });
  }

  std::filesystem::path path_;
  int socket_;
  RunCommand run_;
  std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable stops_;
  bool stopping_ = false;
  std::array<int, commands_at_once_max> peers_{};  // each closed under mutex_ only
  std::array<std::thread, commands_at_once_max> threads_;
};

ControlSocket::ControlSocket(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}

ControlSocket::~ControlSocket() = default;

Result<std::unique_ptr<ControlSocket>> ControlSocket::listen(const std::filesystem::path& path, RunCommand run,
                                                             std::chrono::milliseconds patience) {
  const auto address = address_of(path);
  if (!address) return address.error();
  const int socket = listening_socket(path, *address);
  if (socket < 0) {
    return Error{Errc::storage_failed,
                 "The socket " + path.string() + " cannot be made: " + std::generic_category().message(errno) + "."};
  }
  auto listener = std::make_unique<Listener>(path, socket, std::move(run), patience);
  listener->start();
  return std::unique_ptr<ControlSocket>(new ControlSocket(std::move(listener)));
}

Result<std::optional<CommandResult>> send_command(const std::filesystem::path& path,
                                                  const std::vector<std::string>& arguments, const TellProgress& tell) {
  const auto address = address_of(path);
  if (!address) return address.error();
  const Connected socket(*address);
  if (!socket.is_taken()) return std::optional<CommandResult>();
  json::array list;
  for (const std::string& argument : arguments) list.emplace_back(argument);
  write_all(socket.descriptor(), json::serialize(list));
  ::shutdown(socket.descriptor(), SHUT_WR);
  boost::system::error_code error;
  // What a command lists may have been stored before names were checked.
  json::parse_options leniently;
  leniently.allow_invalid_utf8 = true;
  const json::value parsed = json::parse(read_all(socket.descriptor(), tell).value_or(""), error, {}, leniently);
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
