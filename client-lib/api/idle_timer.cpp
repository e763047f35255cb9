#include "api/idle_timer.h"

namespace fieldsync::api {

IdleTimer::IdleTimer(Clock::duration limit, std::function<void()> on_idle)
    : limit_(limit), on_idle_(std::move(on_idle)), thread_([this] { run(); }) {}

IdleTimer::~IdleTimer() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void IdleTimer::touch() {
  const std::lock_guard lock(mutex_);
  last_use_ = Clock::now();
  if (told_) changed_.notify_all();
  told_ = false;
}

IdleTimer::Use::Use(IdleTimer& timer) : timer_(timer) {
  const std::lock_guard lock(timer_.mutex_);
  ++timer_.uses_;
}

IdleTimer::Use::~Use() {
  timer_.touch();
  const std::lock_guard lock(timer_.mutex_);
  --timer_.uses_;
}

void IdleTimer::run() {
  std::unique_lock lock(mutex_);
  while (!ends_) {
    if (told_) {
      changed_.wait(lock);
      continue;
    }
    // While it is in use, the limit is looked at anew.
    const auto until = uses_ > 0 ? Clock::now() + limit_ : last_use_ + limit_;
    if (Clock::now() < until) {
      changed_.wait_until(lock, until);
      continue;
    }
    told_ = true;
    lock.unlock();
    on_idle_();
    lock.lock();
  }
}

}  // namespace fieldsync::api
