// idle_timer.h: notices that nobody used the store for some time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace fieldsync::api {

// Threads: any; it calls back on a thread of its own.
class IdleTimer {
 public:
  using Clock = std::chrono::steady_clock;

  // Calls `on_idle` once, when there was neither touch() nor a Use for `limit`, and again
  // when that happens after the next one.
  IdleTimer(Clock::duration limit, std::function<void()> on_idle);
  // Waits for a call that runs.
  ~IdleTimer();
  IdleTimer(const IdleTimer&) = delete;
  IdleTimer& operator=(const IdleTimer&) = delete;

  void touch();

  // Something that may take longer than the limit.
  class Use {
   public:
    explicit Use(IdleTimer& timer);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    IdleTimer& timer_;
  };

 private:
  void run();

  const Clock::duration limit_;
  const std::function<void()> on_idle_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Clock::time_point last_use_ = Clock::now();
  int uses_ = 0;
  bool told_ = false;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace fieldsync::api
