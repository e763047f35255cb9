#include "api/sync_driver.h"

#include <chrono>

namespace fieldsync::api {

void SyncDriver::cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  wake_.notify_all();
  transport_.cancel();
}

bool SyncDriver::is_cancelled() {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

bool SyncDriver::pause(core::Milliseconds span) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, std::chrono::milliseconds(span.count), [this] { return cancelled_; });
}

Result<SyncReport> SyncDriver::run() {
  while (true) {
    SyncStep step = steps_.next();
    if (auto* request = std::get_if<SendRequest>(&step)) {
      if (is_cancelled()) {
        steps_.cancel();
      } else {
        exchange(std::move(*request));
      }
    } else if (const auto* wanted = std::get_if<Pause>(&step)) {
      if (!pause(wanted->span)) steps_.cancel();
    } else if (const auto* report = std::get_if<SyncReport>(&step)) {
      return *report;
    } else {
      return std::get<Error>(step);
    }
  }
}

void SyncDriver::exchange(SendRequest request) {
  const core::Milliseconds began = environment_.steady_clock();
  transport_.start(std::move(request.path), std::move(request.body));
  steps_.prepare_ahead();
  const auto answer = transport_.wait();
  const core::Milliseconds took{environment_.steady_clock().count - began.count};
  steps_.on_answer(answer, took, transport_.wire_bytes());
}

}  // namespace fieldsync::api
