// background_sync.h: BackgroundSync over anything that syncs, with the clocks passed in.
#pragma once

#include <functional>
#include <memory>

#include "fieldsync/background_sync.h"

namespace fieldsync::api {

// What it does not do itself. Everything is called on its own thread, but `now`, which is
// called on any.
struct BackgroundPort {
  std::function<Result<SyncReport>(const SyncOptions&)> sync;
  std::function<LockState()> lock_state;
  std::function<ScheduleTime()> now;
  std::function<double()> jitter;
};

// Errors as BackgroundSync::start.
[[nodiscard]] Result<std::unique_ptr<BackgroundSync>> start_background_sync(BackgroundPort port,
                                                                            const BackgroundOptions& options);

}  // namespace fieldsync::api
