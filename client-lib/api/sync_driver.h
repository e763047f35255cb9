// sync_driver.h: carries out the steps of a sync over a Transport, and blocks
// meanwhile.
#pragma once

#include <condition_variable>
#include <mutex>

#include "api/sync_steps.h"

namespace fieldsync::api {

class SyncDriver {
 public:
  SyncDriver(SyncSteps steps, engine::Transport& transport, const Environment& environment)
      : steps_(std::move(steps)), transport_(transport), environment_(environment) {}

  [[nodiscard]] Result<SyncReport> run();
  // From any thread, also before run(), which then makes no request.
  void cancel();
  // What was done so far, also where run() failed.
  [[nodiscard]] const SyncReport& report() const { return steps_.report(); }

 private:
  void exchange(SendRequest request);
  // Stores what arrives of an attachment, shows how far it has come, and waits for the end.
  [[nodiscard]] Result<engine::HttpReply> follow_transfer();
  bool pause(core::Milliseconds span);
  bool is_cancelled();

  SyncSteps steps_;
  engine::Transport& transport_;
  const Environment& environment_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool cancelled_ = false;
};

}  // namespace fieldsync::api
