// When a store is idle.
#include "api/idle_timer.h"

#include <atomic>
#include <catch2/catch.hpp>

using namespace fieldsync;
using namespace std::chrono_literals;

namespace {

struct Told {
  std::atomic<int> times{0};
  api::IdleTimer timer{50ms, [this] { ++times; }};

  // Whether it was told so often within two seconds; longer on a busy machine would say nothing.
  bool becomes(int expected) {
    for (int i = 0; i < 400 && times < expected; ++i) std::this_thread::sleep_for(5ms);
    return times == expected;
  }
};

}  // namespace

TEST_CASE("Who is left alone is told once, and again after the next use") {
  Told told;
  CHECK(told.becomes(1));
  std::this_thread::sleep_for(200ms);
  CHECK(told.times == 1);
  told.timer.touch();
  CHECK(told.becomes(2));
}

TEST_CASE("What takes longer than the limit is no idleness, however many do it") {
  Told told;
  {
    const api::IdleTimer::Use one(told.timer);
    {
      const api::IdleTimer::Use other(told.timer);
      std::this_thread::sleep_for(200ms);
    }
    std::this_thread::sleep_for(200ms);
    CHECK(told.times == 0);
  }
  CHECK(told.becomes(1));
}
