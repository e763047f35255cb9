// The HTTP server by itself, with handlers that do what handlers should not: that block, that throw, that
// leave the I/O thread without memory. Real TLS; no process of its own.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <future>
#include <iterator>
#include <latch>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "http/http_server.h"
#include "load/tls_client.h"
#include "support/allocation_faults.h"
#include "tls/key_pair.h"

using namespace fieldsync;
using namespace fieldsync::server;
using load::ClientContext;
using load::TlsClient;
using Clock = std::chrono::steady_clock;

namespace {

const std::string malformed = "nonsense\r\n\r\n";

std::string head_of(const std::string& target, std::size_t body_bytes) {
  return "POST " + target + " HTTP/1.1\r\nHost: office\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n\r\n";
}

// With a body of two bytes.
std::string request_to(const std::string& target) { return head_of(target, 2) + "{}"; }

Response answer_with(int status) {
  Response response;
  response.status = status;
  response.content_type = "text/plain";
  return response;
}

bool is_status(const std::string& answer, int status) {
  return answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

// Everybody is known.
HttpHandlers plain_handlers() {
  const auto receive = [](const Request&) {
    Reception reception;
    reception.peer_is_known = true;
    return reception;
  };
  return {receive, [](const Request&) { return answer_with(200); },
          [](const Error& error, const Request&) { return answer_with(describe(error.code).http_status); }};
}

// Known is who asks for /known.
HttpHandlers handlers_with_strangers() {
  HttpHandlers handlers = plain_handlers();
  handlers.receive = [](const Request& head) {
    Reception reception;
    reception.peer_is_known = head.target == "/known";
    return reception;
  };
  return handlers;
}

// A server with these handlers, for as long as this lives.
class RunningServer {
 public:
  explicit RunningServer(HttpHandlers handlers, HttpSettings settings = {}) {
    const tls::KeyPair key = tls::make_server_key("127.0.0.1");
    settings.port = 0;
    settings.private_key_pem = key.private_key_pem;
    settings.certificate_pem = key.certificate_pem;
    auto listening = HttpServer::listen(settings, std::move(handlers));
    REQUIRE(listening);
    server = std::move(*listening);
    server->start();
  }

  // A connection with its handshake done. Nothing where the server does not want it.
  [[nodiscard]] std::unique_ptr<TlsClient> connect(int source = 1) const {
    auto client = std::make_unique<TlsClient>(server->port(), source);
    if (!client->handshake(context_)) client.reset();
    return client;
  }
  // One that has served a request of somebody known.
  [[nodiscard]] std::unique_ptr<TlsClient> connect_known(int source = 1) const {
    auto client = connect(source);
    if (client) REQUIRE(is_status(client->ask(request_to("/")), 200));
    return client;
  }
  // On a connection of its own; empty where there is none.
  [[nodiscard]] std::string ask(const std::string& request) const {
    const auto client = connect();
    return client ? client->ask(request) : std::string();
  }

  std::unique_ptr<HttpServer> server;

 private:
  ClientContext context_{tls::make_device_key()};
};

std::size_t open_descriptors() {
  const auto all = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

TEST_CASE("A request that finds too many waiting is refused before its body, and those that wait are served") {
  std::latch released(1);
  HttpHandlers handlers = plain_handlers();
  handlers.handle = [&](const Request&) {
    released.wait();
    return answer_with(200);
  };
  std::vector<TurnedAway> told;
  handlers.tell_turned_away = [&](const TurnedAway& one) { told.push_back(one); };
  HttpSettings settings;
  settings.blocking_threads = 1;
  settings.requests_waiting_max = 2;
  {
    const RunningServer running(handlers, settings);
    // One that runs, and two that wait.
    std::vector<std::unique_ptr<TlsClient>> clients;
    for (int i = 0; i < 3; ++i) {
      clients.push_back(running.connect());
      REQUIRE(clients.back()->send(request_to("/")));
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    const auto began = Clock::now();
    CHECK(is_status(running.ask(head_of("/", 1'000'000)), 503));
    CHECK(Clock::now() - began < std::chrono::seconds(1));
    released.count_down();
    for (const auto& client : clients) CHECK(is_status(client->answer(), 200));
    CHECK(is_status(running.ask(request_to("/")), 200));
  }
  CHECK(told == std::vector<TurnedAway>{{0, 1}});
}

TEST_CASE("What a handler throws ends its connection and no other") {
  HttpHandlers handlers = plain_handlers();
  handlers.receive = [](const Request& head) -> Reception {
    if (head.target == "/receive") throw std::bad_alloc();
    return {};
  };
  handlers.handle = [](const Request& request) {
    if (request.target == "/handle") throw std::runtime_error("planted");
    if (request.target == "/odd") throw 7;
    return answer_with(200);
  };
  handlers.refuse = [](const Error&, const Request&) -> Response { throw std::bad_alloc(); };
  const RunningServer running(handlers);
  const auto other = running.connect();
  for (int i = 0; i < 20; ++i) {
    for (const char* target : {"/receive", "/handle", "/odd"}) CHECK(running.ask(request_to(target)).empty());
    CHECK(running.ask(malformed).empty());
    CHECK(is_status(other->ask(request_to("/")), 200));
    CHECK(is_status(running.ask(request_to("/")), 200));
  }
}

TEST_CASE("Wherever memory is short on the I/O thread, the server serves the next connections") {
  // A refusal is made on that thread, and arms the fault there.
  std::uint64_t nth = 0;
  HttpHandlers handlers = plain_handlers();
  handlers.refuse = [&](const Error&, const Request&) {
    testing::start_allocation_faults(nth, testing::Lasting::once);
    return answer_with(400);
  };
  // One that did not leave the count would be missed.
  HttpSettings settings;
  settings.connections_max = 5;
  const RunningServer running(handlers, settings);
  int without_answer = 0;
  for (nth = 1; nth <= 150; ++nth) {
    static_cast<void>(running.ask(malformed));
    int served = 0;
    // Of these the fault may strike one.
    for (int i = 0; i < 4; ++i) served += is_status(running.ask(request_to("/")), 200) ? 1 : 0;
    INFO("allocation " << nth);
    REQUIRE(served >= 3);
    without_answer += 4 - served;
  }
  // Else nothing was tried.
  CHECK(without_answer > 5);
}

TEST_CASE("A body that has a time for all of it is ended then, however steadily it drips") {
  HttpHandlers handlers = plain_handlers();
  handlers.receive = [](const Request& head) {
    Reception reception;
    if (head.target == "/bounded") reception.body_time_max = std::chrono::seconds(1);
    return reception;
  };
  const RunningServer running(handlers);
  for (const char* target : {"/bounded", "/unbounded"}) {
    const auto client = running.connect();
    REQUIRE(client->send(head_of(target, 8)));
    for (int i = 0; i < 8; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(250));
      static_cast<void>(client->send("x"));
    }
    INFO(target);
    CHECK(is_status(client->answer(), 200) == (std::string(target) == "/unbounded"));
  }
  CHECK(is_status(running.ask(request_to("/bounded")), 200));
}

TEST_CASE("Connections beyond the limits are told as a sum") {
  std::vector<TurnedAway> told;
  HttpHandlers handlers = plain_handlers();
  handlers.tell_turned_away = [&](const TurnedAway& one) { told.push_back(one); };
  HttpSettings settings;
  settings.connections_max = 3;
  settings.connections_per_address_max = 2;
  {
    const RunningServer running(handlers, settings);
    const auto one = running.connect_known(), two = running.connect_known();
    CHECK_FALSE(running.connect());
    const auto three = running.connect_known(2);
    CHECK(three);
    for (int i = 0; i < 5; ++i) CHECK_FALSE(running.connect(3));
  }
  CHECK(told == std::vector<TurnedAway>{{6, 0}});
}

TEST_CASE("At an address full of strangers the next is let in, and the first of them ended; who is known stays") {
  HttpSettings settings;
  settings.strangers_per_address_max = 2;
  const RunningServer running(handlers_with_strangers(), settings);
  const auto known = running.connect();
  REQUIRE(known);
  CHECK(is_status(known->ask(request_to("/known")), 200));
  const auto one = running.connect(), two = running.connect();
  REQUIRE((one && two));
  // A request alone makes nobody known.
  CHECK(is_status(one->ask(request_to("/")), 200));
  const auto three = running.connect();
  REQUIRE(three);
  CHECK(one->ask(request_to("/")).empty());
  CHECK(is_status(two->ask(request_to("/known")), 200));
  const auto four = running.connect(), five = running.connect();
  REQUIRE((four && five));
  CHECK(three->ask(request_to("/")).empty());
  for (const auto* client : {&known, &two, &four, &five}) CHECK(is_status((*client)->ask(request_to("/")), 200));
}

TEST_CASE("A stranger who is refused does not keep the connection, and who is known does") {
  HttpHandlers handlers = handlers_with_strangers();
  handlers.handle = [](const Request&) {
    Response response = answer_with(401);
    response.outcome = "enrolment_code_invalid";
    return response;
  };
  const RunningServer running(handlers);
  for (const char* target : {"/", "/known"}) {
    INFO(target);
    const auto client = running.connect();
    REQUIRE(client);
    CHECK(is_status(client->ask(request_to(target)), 401));
    CHECK(is_status(client->ask(request_to(target)), 401) == (std::string(target) == "/known"));
  }
}

TEST_CASE("A connection carries a thousand requests, and ends with the last of them") {
  const RunningServer running(plain_handlers());
  const auto client = running.connect();
  REQUIRE(client);
  for (int i = 1; i < 1'000; ++i) REQUIRE(client->ask(request_to("/")).find("Connection: close") == std::string::npos);
  CHECK(client->ask(request_to("/")).find("Connection: close") != std::string::npos);
  CHECK(client->ask(request_to("/")).empty());
}

TEST_CASE("A body for which there is no room is refused before it is read, and has room when another is done") {
  HttpSettings settings;
  settings.body_bytes_of_one_peer_max = 100;
  const RunningServer running(plain_handlers(), settings);
  const auto slow = running.connect();
  REQUIRE(slow);
  REQUIRE(slow->send(head_of("/", 90) + "{"));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto other = running.connect();
  REQUIRE(other);
  CHECK(is_status(other->ask(head_of("/", 11)), 503));
  CHECK(is_status(running.ask(head_of("/", 10) + std::string(10, '{')), 200));
  REQUIRE(slow->send(std::string(89, '{')));
  CHECK(is_status(slow->answer(), 200));
  CHECK(is_status(running.ask(head_of("/", 11) + std::string(11, '{')), 200));
}

TEST_CASE("What was turned away is told from time to time, and nothing where nobody was") {
  std::mutex mutex;
  std::vector<TurnedAway> told;
  HttpHandlers handlers = plain_handlers();
  handlers.tell_turned_away = [&](const TurnedAway& one) {
    const std::lock_guard lock(mutex);
    told.push_back(one);
  };
  const auto times_told = [&] {
    const std::lock_guard lock(mutex);
    return told.size();
  };
  HttpSettings settings;
  settings.connections_max = 1;
  settings.turned_away_told_every = std::chrono::milliseconds(300);
  const RunningServer running(handlers, settings);
  const auto one = running.connect();
  for (std::size_t burst = 1; burst <= 2; ++burst) {
    for (int i = 0; i < 4; ++i) CHECK_FALSE(running.connect(2));
    const auto until = Clock::now() + std::chrono::seconds(5);
    while (times_told() < burst && Clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    REQUIRE(times_told() >= burst);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  std::size_t connections = 0;
  for (const TurnedAway& sum : told) connections += sum.connections;
  CHECK(connections == 8);
  // A burst may fall on both sides of a moment at which it is told.
  CHECK(times_told() <= 4);
}

TEST_CASE("A server with a thousand connections open stops in time, and leaves nothing behind") {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  constexpr int count = 1'000;
  std::latch released(1);
  HttpHandlers handlers = plain_handlers();
  handlers.handle = [&](const Request& request) {
    if (request.target == "/slow") released.wait();
    return answer_with(200);
  };
  const std::size_t before = open_descriptors();
  {
    std::vector<std::unique_ptr<TlsClient>> clients;
    HttpSettings settings;
    settings.connections_per_address_max = count;
    settings.strangers_per_address_max = count;
    RunningServer running(handlers, settings);
    for (int i = 0; i < count; ++i) {
      clients.push_back(running.connect());
      REQUIRE(clients.back());
      // Some have served a request, some are within one.
      if (i % 3 == 0) REQUIRE(is_status(clients.back()->ask(request_to("/")), 200));
      if (i % 3 == 1) REQUIRE(clients.back()->send(head_of("/", 100) + "{"));
    }
    REQUIRE(clients.front()->send(request_to("/slow")));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const auto began = Clock::now();
    auto stopped = std::async(std::launch::async, [&] { running.server->stop(); });
    released.count_down();
    // What was begun is answered.
    CHECK(is_status(clients.front()->answer(), 200));
    stopped.wait();
    const std::chrono::duration<double> took = Clock::now() - began;
    CHECK(took.count() < 4);
    for (const auto& client : clients) CHECK(client->answer().empty());
  }
  CHECK(open_descriptors() == before);
}
