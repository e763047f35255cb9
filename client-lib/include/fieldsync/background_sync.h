// background_sync.h: syncs a Database by itself, at the right times: a SyncScheduler on a
// thread of its own, which the app drives with hints.
//
//   auto sync = BackgroundSync::start(*database, {});
//   (*sync)->set_conditions({.connectivity = Connectivity::unmetered, .foreground = true});
//   editor->save();
//   (*sync)->note_saved();
//
// Begins without a connection: nothing is sent before set_conditions() says that there is
// one. Call that again when the device wakes up, because the thread's clock may stand
// still while it sleeps.
//
// Threads    Any thread may call, also from the callbacks; no call waits for a sync. The
//            callbacks of `sync` and on_change arrive on BackgroundSync's own thread.
// Locking    Its syncs are no person's use: a store that nobody uses locks itself after
//            lock_after, however often it is synced, and a sync that runs then is cancelled.
//            Only what sync_now() asks for counts. Once the store is locked nothing is tried
//            until unlocked(), note_saved() or sync_now().
// Sharing    The app may sync the Database itself meanwhile; then this one rests a minute.
// Errors     start(): invalid_argument for the policy, out_of_memory. After that failures are
//            in state(). Without memory even for its copy, state() throws std::bad_alloc.
// Ownership  Must not outlive the Database. Destroying it cancels its sync and waits for the
//            thread, for moments (longer where the system looks up a host's name).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "fieldsync/database.h"
#include "fieldsync/sync_scheduler.h"

namespace fieldsync {

struct BackgroundState {
  // What was decided last. While a sync runs its reason is `syncing`.
  Decision decision;
  std::optional<Error> last_error;  // of the last sync; none where it succeeded
  std::uint64_t syncs_begun = 0;
  // For BackgroundOptions of the next start; keep it when the app leaves the screen.
  std::vector<MeteredDay> metered_days;
};

struct BackgroundOptions {
  SchedulePolicy policy{};
  // For each sync. `attachments`, `counts_as_use` and `stop` are set by BackgroundSync.
  SyncOptions sync{};
  std::vector<MeteredDay> metered_days{};
  // Called when what is decided has changed. Must not destroy the BackgroundSync, nor throw.
  std::function<void(const Decision&)> on_change{};
};

class BackgroundSync {
 public:
  [[nodiscard]] static Result<std::unique_ptr<BackgroundSync>> start(Database& database,
                                                                     const BackgroundOptions& options);
  virtual ~BackgroundSync() = default;

  virtual void set_conditions(const Conditions& conditions) = 0;
  // invalid_argument: see check(); nothing is changed.
  [[nodiscard]] virtual Result<void> set_policy(const SchedulePolicy& policy) = 0;
  // After each save() that succeeded.
  virtual void note_saved() = 0;
  // A person asks. After enrol() too.
  virtual void sync_now(const PersonRequest& request = {}) = 0;
  // Nothing is sent or asked for until resume(), also nothing that a person asks for. A sync
  // that runs is cancelled at once; what was acknowledged stays so.
  virtual void pause() = 0;
  virtual void resume() = 0;
  // After Database::unlock().
  virtual void unlocked() = 0;

  [[nodiscard]] virtual BackgroundState state() = 0;
};

}  // namespace fieldsync
