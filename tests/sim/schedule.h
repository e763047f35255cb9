// schedule.h: virtual time. Everything that happens in a simulated world is an
// event; events run in the order of (time, when they were planned).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace fieldsync::sim {

inline constexpr std::int64_t second_ms = 1000;
inline constexpr std::int64_t minute_ms = 60 * second_ms;
inline constexpr std::int64_t hour_ms = 60 * minute_ms;
inline constexpr std::int64_t day_ms = 24 * hour_ms;
inline constexpr std::int64_t ten_years_ms = 3652 * day_ms;

class Schedule {
 public:
  // Milliseconds since the world began.
  [[nodiscard]] std::int64_t now() const { return now_; }

  void after(std::int64_t span_ms, std::function<void()> event) {
    events_.emplace(std::pair(now_ + span_ms, planned_++), std::move(event));
  }

  // Runs every event up to and including `end`, and stands there afterwards.
  void run_until(std::int64_t end_ms) {
    while (!events_.empty() && events_.begin()->first.first <= end_ms) {
      auto next = events_.extract(events_.begin());
      now_ = next.key().first;
      next.mapped()();
    }
    now_ = end_ms;
  }

 private:
  std::int64_t now_ = 0;
  std::uint64_t planned_ = 0;
  std::map<std::pair<std::int64_t, std::uint64_t>, std::function<void()>> events_;
};

}  // namespace fieldsync::sim
