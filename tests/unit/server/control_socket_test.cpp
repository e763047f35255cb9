// Commands on their way to a server: beside each other, and whatever becomes of who gave them.
#include "app/control_socket.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>

#include "support/temporary_folder.h"

using namespace fieldsync;
using namespace std::chrono_literals;
using server::CommandResult;
using server::ControlSocket;
using server::send_command;
using server::TellProgress;

namespace {

using Arguments = std::vector<std::string>;

// Longer than anything here takes, so that a test that hangs ends.
constexpr std::chrono::seconds long_enough{10};

// A server's socket in a folder of its own.
struct Server {
  testing::TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "control.sock";
  std::unique_ptr<ControlSocket> socket;

  explicit Server(const server::RunCommand& run, std::chrono::milliseconds patience = long_enough) {
    auto made = ControlSocket::listen(path, run, patience);
    REQUIRE(made);
    socket = std::move(*made);
  }

  // Any thread. The exit code is -1 where no server took it, or answered.
  [[nodiscard]] CommandResult give(const Arguments& arguments) const {
    auto sent = send_command(path, arguments, {});
    return sent && *sent ? std::move(**sent) : CommandResult{-1, {}, {}};
  }
};

// Who gives commands by hand. Its descriptor is the lowest that was free.
class Peer {
 public:
  Peer() = default;
  explicit Peer(const std::filesystem::path& path) { connect(path); }
  ~Peer() { ::close(socket_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void connect(const std::filesystem::path& path) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = path.string();
    REQUIRE(name.size() < sizeof address.sun_path);
    name.copy(address.sun_path, name.size());
    REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  [[nodiscard]] int descriptor() const { return socket_; }
  [[nodiscard]] bool is_taken(std::chrono::milliseconds within = long_enough) const {
    const timeval limit{within.count() / 1000, within.count() % 1000 * 1000};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char greeting = 0;
    return ::read(socket_, &greeting, 1) == 1 && greeting == '+';
  }
  void send(std::string_view text) const {
    REQUIRE(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  void end() const { ::shutdown(socket_, SHUT_WR); }

 private:
  int socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

// While it lives nothing more can be opened.
class NoDescriptors {
 public:
  explicit NoDescriptors(int highest) {
    ::getrlimit(RLIMIT_NOFILE, &former_);
    const rlimit none_left{static_cast<rlim_t>(highest) + 1, former_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none_left);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &former_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit former_{};
};

CommandResult echo(const Arguments& arguments, const TellProgress& /*tell*/) {
  return {0, arguments.empty() ? "" : arguments.front(), ""};
}

}  // namespace

TEST_CASE("A command is carried out while another one is under way", "[control]") {
  std::promise<void> first_came, second_came;
  const Server server([&](const Arguments& arguments, const TellProgress&) {
    if (arguments.front() == "second") {
      second_came.set_value();
      return CommandResult{};
    }
    first_came.set_value();
    const bool came = second_came.get_future().wait_for(long_enough) == std::future_status::ready;
    return CommandResult{came ? 0 : 1, "", ""};
  });
  auto first = std::async(std::launch::async, [&] { return server.give({"first"}); });
  first_came.get_future().wait();
  CHECK(server.give({"second"}).exit_code == 0);
  CHECK(first.get().exit_code == 0);
}

TEST_CASE("A command that cannot be taken for want of descriptors is taken when there are some", "[control]") {
  const Server server(echo);
  const Peer peer;
  {
    const NoDescriptors none(peer.descriptor());
    peer.connect(server.path);
    CHECK_FALSE(peer.is_taken(300ms));
  }
  REQUIRE(peer.is_taken());
  CHECK(server.give({"goes on"}).output == "goes on");
}

TEST_CASE("A command comes to its end where whoever gave it reads nothing", "[control]") {
  std::promise<void> ended;
  Server server(
      [&](const Arguments&, const TellProgress& tell) {
        for (std::uint64_t i = 0; i < 200'000; ++i) tell(i, 200'000);
        ended.set_value();
        return CommandResult{};
      },
      200ms);
  const Peer peer(server.path);
  peer.send(R"(["import"])");
  peer.end();
  CHECK(ended.get_future().wait_for(long_enough) == std::future_status::ready);
  server.socket.reset();
}

TEST_CASE("Whoever begins a command and does not go on holds up neither others nor the end", "[control]") {
  Server server(echo);
  const Peer silent(server.path);
  CHECK(silent.is_taken());
  const Peer broken_off(server.path);
  CHECK(broken_off.is_taken());
  broken_off.send(R"(["device", "rev)");
  CHECK(server.give({"goes on"}).output == "goes on");
  const auto began = std::chrono::steady_clock::now();
  server.socket.reset();
  CHECK(std::chrono::steady_clock::now() - began < long_enough / 2);
}

TEST_CASE("A message that broke off is no command", "[control]") {
  std::atomic<int> carried_out = 0;
  const Server server([&](const Arguments&, const TellProgress&) {
    ++carried_out;
    return CommandResult{};
  });
  for (const char* part : {"", "[", R"(["check")"}) {
    const Peer peer(server.path);
    REQUIRE(peer.is_taken());
    peer.send(part);
    peer.end();
    CHECK_FALSE(peer.is_taken());  // it is closed
  }
  CHECK(carried_out == 0);
}

TEST_CASE("What is not UTF-8 is refused on the way in, and let through on the way out", "[control]") {
  const std::string osh_in_cp1251 = "\xCE\xF8";
  const Server server([&](const Arguments&, const TellProgress&) { return CommandResult{0, osh_in_cp1251, ""}; });
  const CommandResult refused = server.give({"import", osh_in_cp1251});
  CHECK(refused.exit_code == 2);
  CHECK(refused.output.empty());
  CHECK(refused.error.find("UTF-8") != std::string::npos);
  CHECK(server.give({"scope", "list"}).output == osh_in_cp1251);
}

TEST_CASE("A path that is too long for a socket is refused with the limit", "[control]") {
  const testing::TemporaryFolder folder;
  const std::string here = folder.path().string() + "/";
  const std::string longest = here + std::string(107 - here.size(), 'a');
  CHECK(ControlSocket::listen(longest, echo));
  const auto made = ControlSocket::listen(longest + "a", echo);
  REQUIRE_FALSE(made);
  CHECK(made.error().code == Errc::invalid_argument);
  CHECK(made.error().message().find("107") != std::string::npos);
  const auto sent = send_command(longest + "a", {"check"}, {});
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == Errc::invalid_argument);
}
