#include "load/crowd.h"

#include <sys/resource.h>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace fieldsync::load {
namespace {

constexpr std::size_t connections_of_one_address = 40;
constexpr std::size_t threads = 2;

// Calls `body` with each number, in two threads. What it returned false for.
template <typename Body>
std::size_t failures_of(std::size_t count, const Body& body) {
  std::atomic<std::size_t> next = 0, failures = 0;
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      for (std::size_t number = next++; number < count; number = next++) failures += body(number) ? 0 : 1;
    });
  }
  for (std::thread& thread : running) thread.join();
  return failures;
}

bool is_answered(TlsClient& client) { return client.ask(missing_attachment_request()).starts_with("HTTP/1.1 404"); }

}  // namespace

int source_of(std::size_t number) { return static_cast<int>(2 + number / connections_of_one_address); }

Crowd open_crowd(const ServerProcess& server, std::size_t count) {
  Crowd crowd(count);
  const std::size_t failures = failures_of(count, [&](std::size_t number) {
    try {
      crowd[number] = std::make_unique<TlsClient>(server.port(), source_of(number));
    } catch (const std::runtime_error&) {
      return false;
    }
    return crowd[number]->handshake(server.enrolled()) && is_answered(*crowd[number]);
  });
  if (failures > 0) throw std::runtime_error(std::to_string(failures) + " connections were not served");
  return crowd;
}

std::size_t stir(const Crowd& crowd) {
  return failures_of(crowd.size(), [&](std::size_t number) { return is_answered(*crowd[number]); });
}

void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace fieldsync::load
