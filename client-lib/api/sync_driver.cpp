#include "api/sync_driver.h"

#include <chrono>

namespace fieldsync::api {
namespace {

// How often what arrived of an attachment is stored, and progress is shown.
constexpr core::Milliseconds look_after_every{500};

}  // namespace

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

Result<engine::HttpReply> SyncDriver::follow_transfer() {
  Result<void> kept;
  while (steps_.wants_underway()) {
    const bool ended = transport_.wait_for(look_after_every);
    if (kept) kept = steps_.on_underway(transport_.underway());
    if (ended) break;
  }
  auto answer = transport_.wait();
  return kept ? std::move(answer) : Result<engine::HttpReply>(kept.error());
}

void SyncDriver::exchange(SendRequest request) {
  const core::Milliseconds began = environment_.steady_clock();
  transport_.start(std::move(request));
  steps_.prepare_ahead();
  Result<engine::HttpReply> answer = follow_transfer();
  const core::Milliseconds took{environment_.steady_clock().count - began.count};
  steps_.note_certificate(transport_.certificate_flaw());
  steps_.on_answer(answer, took, transport_.wire_bytes());
}

}  // namespace fieldsync::api
