#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "bench/measure.h"
#include "load/crowd.h"
#include "load/scenarios.h"

namespace fieldsync::load {
namespace {

constexpr double stirred_every_s = 30;  // a connection may idle 60
constexpr double looked_every_s = 2;
constexpr auto pause_between_requests = std::chrono::milliseconds(200);
constexpr double closed_within_s = 5;

struct Sample {
  double hours = 0;
  double bytes = 0;
};

// The line through the samples that fits best: what it grows in an hour, as a share of its height in the middle.
double percent_an_hour(const std::vector<Sample>& samples) {
  double hours = 0, bytes = 0, above = 0, below = 0;
  for (const Sample& sample : samples) {
    hours += sample.hours / static_cast<double>(samples.size());
    bytes += sample.bytes / static_cast<double>(samples.size());
  }
  for (const Sample& sample : samples) {
    above += (sample.hours - hours) * (sample.bytes - bytes);
    below += (sample.hours - hours) * (sample.hours - hours);
  }
  return below > 0 && bytes > 0 ? above / below / bytes * 100 : 0;
}

// Syncs again and again, on a connection for ten requests.
class ActiveClients {
 public:
  ActiveClients(const ServerProcess& server, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back([this, &server] { run(server); });
  }
  ~ActiveClients() {
    ending_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  ActiveClients(const ActiveClients&) = delete;
  ActiveClients& operator=(const ActiveClients&) = delete;

  [[nodiscard]] std::size_t answered() const { return answered_; }
  [[nodiscard]] std::size_t failed() const { return failed_; }

 private:
  void run(const ServerProcess& server) {
    while (!ending_) {
      TlsClient client(server.port(), 254);
      if (!client.handshake(server.enrolled())) ++failed_;
      for (int i = 0; i < 10 && !ending_; ++i) {
        ++(client.ask(sync_request()).starts_with("HTTP/1.1 200") ? answered_ : failed_);
        std::this_thread::sleep_for(pause_between_requests);
      }
    }
  }

  std::atomic<bool> ending_ = false;
  std::atomic<std::size_t> answered_ = 0, failed_ = 0;
  std::vector<std::thread> threads_;
};

Usage usage_when_closed(const ServerProcess& server, const Usage& start) {
  const double until = bench::now_seconds() + closed_within_s;
  Usage usage = server.usage();
  while (usage.descriptors > start.descriptors && bench::now_seconds() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    usage = server.usage();
  }
  return usage;
}

}  // namespace

boost::json::object measure_slope(const SlopeOptions& options) {
  ServerProcess server({"connections_max = " + std::to_string(options.idle + options.active + 100)}, options.program);
  {
    // The pool's threads and the database's connections come with the first requests.
    const ActiveClients first(server, options.active);
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }
  std::this_thread::sleep_for(std::chrono::seconds(3));
  const Usage start = server.usage();
  std::vector<Sample> samples;
  std::size_t unanswered = 0, answered = 0;
  {
    const Crowd crowd = open_crowd(server, options.idle);
    const ActiveClients active(server, options.active);
    const double began = bench::now_seconds();
    double stirred = began;
    for (double now = began; now - began < options.minutes * 60; now = bench::now_seconds()) {
      if (now - stirred >= stirred_every_s) {
        stirred = now;
        unanswered += stir(crowd);
      }
      if (now - began >= options.warm_minutes * 60)
        samples.push_back({(now - began) / 3600, static_cast<double>(server.usage().resident_bytes)});
      std::this_thread::sleep_for(std::chrono::duration<double>(looked_every_s));
    }
    answered = active.answered();
    unanswered += active.failed();
  }
  const Usage end = usage_when_closed(server, start);
  const double slope = percent_an_hour(samples);
  const bool is_back = end.descriptors <= start.descriptors && end.threads <= start.threads;
  return {{"idle", options.idle},
          {"active", options.active},
          {"minutes", options.minutes},
          {"samples", samples.size()},
          {"resident_bytes_first", samples.empty() ? 0 : samples.front().bytes},
          {"resident_bytes_last", samples.empty() ? 0 : samples.back().bytes},
          {"memory_percent_an_hour", slope},
          {"memory_percent_an_hour_max", 1},
          {"requests_answered", answered},
          {"requests_unanswered", unanswered},
          {"descriptors_start", start.descriptors},
          {"descriptors_end", end.descriptors},
          {"threads_start", start.threads},
          {"threads_end", end.threads},
          {"within", slope <= 1 && is_back && unanswered == 0}};
}

}  // namespace fieldsync::load
