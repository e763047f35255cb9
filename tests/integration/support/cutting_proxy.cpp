#include "support/cutting_proxy.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>

#include "support/loopback.h"

namespace fieldsync::testing {
namespace {

constexpr int look_again_ms = 20;

void close_with_reset(int socket) {
  const linger at_once{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

bool has_input(int socket, int wait_ms) {
  pollfd wanted{socket, POLLIN, 0};
  return ::poll(&wanted, 1, wait_ms) > 0;
}

bool send_all(int socket, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(socket, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

enum class Carried : std::uint8_t { on, ended, cut };

// Passes what waits at `from`, up to `allowed` bytes of this direction in all.
Carried pass(int from, int to, std::atomic<std::uint64_t>& passed, std::uint64_t allowed) {
  std::array<char, 4096> buffer{};
  const ssize_t got = ::recv(from, buffer.data(), buffer.size(), 0);
  if (got <= 0) return Carried::ended;
  const std::uint64_t left = allowed - passed;
  const std::size_t size = std::min<std::uint64_t>(static_cast<std::uint64_t>(got), left);
  if (!send_all(to, buffer.data(), size)) return Carried::ended;
  passed += size;
  return passed == allowed ? Carried::cut : Carried::on;
}

}  // namespace

CuttingProxy::CuttingProxy(int server_port) : server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE((::bind(listener_, generic, size) == 0 && ::listen(listener_, 8) == 0 &&
           ::getsockname(listener_, generic, &size) == 0));
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

CuttingProxy::~CuttingProxy() {
  ending_ = true;
  thread_.join();
  ::close(listener_);
}

void CuttingProxy::allow(Passes passes, bool reset) {
  allowed_up_ = passes.up;
  allowed_down_ = passes.down;
  reset_ = reset;
  is_cut_ = false;
}

void CuttingProxy::run() {
  while (!ending_) {
    if (!has_input(listener_, look_again_ms)) continue;
    const int device = ::accept(listener_, nullptr, nullptr);
    if (device < 0) continue;
    if (is_cut_) {
      close_with_reset(device);
    } else {
      carry(device);
    }
    ::close(device);
  }
}

void CuttingProxy::carry(int device) {
  const int server = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(server_port_);
  const int on = 1;
  for (const int end : {device, server}) ::setsockopt(end, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  up_ = down_ = 0;
  Carried state = Carried::on;
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) state = Carried::ended;
  if (allowed_up_ == 0 || allowed_down_ == 0) state = Carried::cut;
  while (state == Carried::on && !ending_) {
    std::array<pollfd, 2> ends{pollfd{device, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    if (::poll(ends.data(), ends.size(), look_again_ms) <= 0) continue;
    if (ends[0].revents != 0) state = pass(device, server, up_, allowed_up_);
    if (state == Carried::on && ends[1].revents != 0) state = pass(server, device, down_, allowed_down_);
  }
  if (state == Carried::cut) {
    is_cut_ = true;
    if (reset_) {
      for (const int end : {device, server}) close_with_reset(end);
    }
  }
  ::close(server);
}

}  // namespace fieldsync::testing
