#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "bench/measure.h"
#include "load/crowd.h"
#include "load/scenarios.h"

namespace fieldsync::load {
namespace {

constexpr double healthy_s = 5;
constexpr int healthy_clients = 2;
constexpr auto pause_between_requests = std::chrono::milliseconds(5);
constexpr double late_s = 2;  // for what this program and the kernel take
constexpr double early_s = 0.5;
constexpr std::size_t large_answer_bytes = 8 * 1024 * 1024;

enum class Manner : std::uint8_t { handshake, header, body, reading, idle };

struct Deadline {
  Manner manner;
  const char* name;
  double seconds;
};

constexpr std::array<Deadline, 5> deadlines{{{Manner::idle, "idle", 60},
                                             {Manner::reading, "reading", 10},
                                             {Manner::body, "body", 10},
                                             {Manner::header, "header", 10},
                                             {Manner::handshake, "handshake", 5}}};

struct SlowClient {
  Manner manner;
  std::unique_ptr<TlsClient> client;
  double began = 0;       // an idle one: when it got its answer
  double lasted = 0;      // 0: the server has not closed it yet
  bool was_seen = false;  // one that the server has not accepted yet looks like one that it has closed
  double drips_at = 0;    // a header's next byte: one a second, and not those of all clients at once
};

bool begin(TlsClient& client, Manner manner, const ServerProcess& server, const std::string& large) {
  if (manner == Manner::handshake) {
    client.send_raw(std::string("\x16\x03\x01\x02", 4));
    return true;
  }
  if (!client.handshake(server.enrolled())) return false;
  switch (manner) {
    case Manner::header: return client.send("POST /v1/sync HTTP/1.1\r\n");
    case Manner::body: return client.send(sync_request().substr(0, sync_request().size() - 5));
    case Manner::reading: return client.send("GET " + large + " HTTP/1.1\r\nHost: office\r\n\r\n");
    default: return client.ask(missing_attachment_request()).starts_with("HTTP/1.1 404");
  }
}

std::vector<SlowClient> begin_slow(const ServerProcess& server, std::size_t count, const std::string& large) {
  std::vector<SlowClient> slow;
  for (const Deadline& deadline : deadlines) {
    for (std::size_t i = 0; i < count / deadlines.size(); ++i) {
      const int receive_bytes = deadline.manner == Manner::reading ? 4096 : 0;
      SlowClient one{deadline.manner,
                     std::make_unique<TlsClient>(server.port(), source_of(slow.size()), receive_bytes)};
      if (!begin(*one.client, one.manner, server, large)) throw std::runtime_error("a slow client was not let in");
      one.began = bench::now_seconds();
      one.drips_at = one.began + 1;
      slow.push_back(std::move(one));
    }
  }
  return slow;
}

double p99_of_healthy(const ServerProcess& server) {
  std::array<std::vector<double>, healthy_clients> seconds;
  std::vector<std::thread> threads;
  for (auto& own : seconds) {
    threads.emplace_back([&] {
      TlsClient client(server.port(), 1);
      bool goes_on = client.handshake(server.enrolled());
      const double until = bench::now_seconds() + healthy_s;
      while (goes_on && bench::now_seconds() < until) {
        const double asked = bench::now_seconds();
        goes_on = client.ask(sync_request()).starts_with("HTTP/1.1 200");
        // One that is not answered counts as an endless one.
        own.push_back(goes_on ? bench::now_seconds() - asked : 1e9);
        std::this_thread::sleep_for(pause_between_requests);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<double> all;
  for (const auto& own : seconds) all.insert(all.end(), own.begin(), own.end());
  std::sort(all.begin(), all.end());
  return all.empty() ? 1e9 : all[all.size() * 99 / 100];
}

void drip(std::vector<SlowClient>& slow) {
  for (SlowClient& one : slow) {
    if (one.manner != Manner::header || one.lasted > 0 || bench::now_seconds() < one.drips_at) continue;
    static_cast<void>(one.client->send("X"));
    one.drips_at += 1;
  }
}

// Notes whom the server has closed since. How many are open.
std::size_t look(std::vector<SlowClient>& slow, const ServerProcess& server) {
  const std::set<std::string> peers = server.peers();
  const double now = bench::now_seconds();
  std::size_t open = 0;
  for (SlowClient& one : slow) {
    if (one.lasted > 0) continue;
    const bool is_there = peers.contains(one.client->name());
    if (one.was_seen && !is_there) one.lasted = now - one.began;
    one.was_seen = is_there;
    open += one.lasted > 0 ? 0 : 1;
  }
  return open;
}

// Whoever was never seen would not be missed.
void wait_until_accepted(std::vector<SlowClient>& slow, const ServerProcess& server) {
  const double until = bench::now_seconds() + late_s;
  do {
    look(slow, server);
  } while (bench::now_seconds() < until &&
           !std::all_of(slow.begin(), slow.end(), [](const SlowClient& one) { return one.was_seen; }));
}

// Until the server has closed all of them, or the last deadline is long over. Headers drip meanwhile. While healthy
// clients are measured it does not look on: the kernel's list of connections costs more than their requests.
void watch_until_closed(std::vector<SlowClient>& slow, const ServerProcess& server) {
  const double began = bench::now_seconds();
  std::size_t open = slow.size();
  for (double now = began; open > 0 && now < began + 60 + 2 * late_s; now = bench::now_seconds()) {
    drip(slow);
    if (now >= began + healthy_s) open = look(slow, server);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

struct Closing {
  double first = 1e9;
  double last = 0;
  std::size_t never = 0;
};

void add_up(const std::vector<SlowClient>& slow, std::map<Manner, Closing>& closings) {
  for (const SlowClient& one : slow) {
    Closing& closing = closings[one.manner];
    closing.never += one.lasted > 0 ? 0 : 1;
    closing.first = std::min(closing.first, one.lasted);
    closing.last = std::max(closing.last, one.lasted);
  }
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

boost::json::object measure_slow(const SlowOptions& options) {
  ServerProcess server({}, options.program);
  const std::string large = server.bring_attachment(large_answer_bytes);
  std::map<Manner, Closing> closings;
  std::vector<double> quiet, beside;
  p99_of_healthy(server);  // warm
  for (int round = 0; round < options.rounds; ++round) {
    quiet.push_back(p99_of_healthy(server));
    auto slow = begin_slow(server, options.clients, large);
    wait_until_accepted(slow, server);
    std::thread watching([&] { watch_until_closed(slow, server); });
    beside.push_back(p99_of_healthy(server));
    watching.join();
    add_up(slow, closings);
  }
  const double ratio = median(beside) / median(quiet);
  bool within = ratio <= 2;
  boost::json::object closed;
  for (const Deadline& deadline : deadlines) {
    const Closing& closing = closings[deadline.manner];
    const bool is_in_time =
        closing.never == 0 && closing.first >= deadline.seconds - early_s && closing.last <= deadline.seconds + late_s;
    within = within && is_in_time;
    closed[deadline.name] = {{"deadline_s", deadline.seconds},
                             {"first_s", closing.first},
                             {"last_s", closing.last},
                             {"never", closing.never},
                             {"within", is_in_time}};
  }
  return {{"clients", options.clients},
          {"rounds", options.rounds},
          {"closed", closed},
          {"p99_ms_quiet", median(quiet) * 1000},
          {"p99_ms_beside_slow", median(beside) * 1000},
          {"p99_ratio", ratio},
          {"p99_ratio_max", 2},
          {"within", within}};
}

}  // namespace fieldsync::load
