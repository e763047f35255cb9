// sync_scheduler.h: decides when to sync, and what may travel. A state machine without
// I/O, clock, randomness or thread of its own: whoever drives it tells it what happened and
// when, and asks what to do. BackgroundSync does that on a thread; an app whose system
// starts it for a moment (WorkManager, BGTaskScheduler) does it itself:
//
//   on each event, and at decision.until_ms:
//     decision = scheduler.decide(now)
//     if sync_now: sync_started(now), Database::sync() with decision.attachments, sync_ended(...)
//
// What it promises, whatever it is told and in whatever order
// (tests/unit/engine/sync_scheduler_laws_test.cpp):
//   with a connection, not paused, unlocked and without a failure that needs a person, a
//   sync begins within the longest of backoff_ms_max and the polls
//   no UTC day is given its budget twice, however the clock is set (of the last 32 days)
//   a wait always ends: time that jumps forward ends it, time that goes back stands still
//
// Threads  One at a time.
// Errors   None. Only the constructor takes memory.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "fieldsync/schedule.h"

namespace fieldsync {

struct ScheduleTime {
  std::int64_t steady_ms = 0;
  std::int64_t utc_day = 0;  // days since 1970-01-01, as the device's clock says
};

// What the person allows beyond the policy, until a sync has succeeded.
struct PersonRequest {
  bool all_attachments = false;  // also on a metered network and with a low battery
  bool beyond_budget = false;    // also where the day's budget is used up
};

struct SyncEnd {
  std::optional<Errc> error{};  // none: it succeeded
  // Both ways, also of a sync that failed.
  std::uint64_t text_bytes = 0;
  std::uint64_t attachment_bytes = 0;
};

class SyncScheduler {
 public:
  // Pre: check(policy). `jitter` gives a number from 0 to 1. `used`: what metered_days() said
  // before the app ended, so that a day's budget survives a restart.
  SyncScheduler(const SchedulePolicy& policy, std::function<double()> jitter, const std::vector<MeteredDay>& used = {});

  [[nodiscard]] Decision decide(ScheduleTime now);

  // Pre: check(policy).
  void set_policy(const SchedulePolicy& policy);
  // A connection after none, another network, or another kind of network ends every wait
  // after a failure, and starts the count of failures anew. Of the failures that need a
  // person only server_untrusted: another network may lead to the office.
  void set_conditions(const Conditions& conditions, ScheduleTime now);
  // Something waits to be sent.
  void saved(ScheduleTime now);
  // The person wants it now: ends every wait, also after a failure that needs a person.
  void requested(const PersonRequest& request, ScheduleTime now);
  // Holds everything back, also what a person asks for, until resumed().
  void paused();
  void resumed();
  // The store can be read again, after a sync that ended with `locked`.
  void unlocked() { locked_ = false; }

  // Pre: none runs. With what decide() allows at that time.
  void sync_started(ScheduleTime now);
  // Pre: one runs. Which failures need a person, the table of errors says (`retry`).
  void sync_ended(const SyncEnd& end, ScheduleTime now);
  // The sync that runs should be cancelled: it was paused, or it carries what may no longer
  // travel. After that it is no failure, and what may travel goes on at once.
  [[nodiscard]] bool should_stop() const;

  // The last `days_max` days that cost something, in the order in which the clock showed them.
  // To keep while the app does not run.
  [[nodiscard]] const std::vector<MeteredDay>& metered_days() const { return days_; }
  static constexpr std::size_t days_max = 32;

 private:
  struct Running {
    AttachmentLimits limits;
    std::int64_t utc_day = 0;
    bool metered = false;
    bool requested = false;
    std::optional<std::int64_t> first_save{};
    bool stopped = false;  // by what the scheduler was told, not by a person who cancelled
  };
  struct Due {
    std::int64_t at = Decision::never_ms;
    Reason reason = Reason::up_to_date;
  };

  std::int64_t observe(ScheduleTime now);
  [[nodiscard]] AttachmentLimits limits() const;
  [[nodiscard]] std::uint64_t budget_left(std::int64_t utc_day) const;
  void count(std::int64_t utc_day, std::uint64_t bytes);
  [[nodiscard]] std::optional<Reason> held_back_by() const;
  [[nodiscard]] Due next_due(std::int64_t now) const;
  [[nodiscard]] Due save_due() const;
  [[nodiscard]] Due more_due() const;
  [[nodiscard]] Due poll_due(std::int64_t now) const;
  void forget_failures();
  void give_back();
  void take_up_failure(Errc error, std::int64_t now);
  [[nodiscard]] std::int64_t backoff() const;

  SchedulePolicy policy_;
  std::function<double()> jitter_;
  Conditions conditions_;
  bool paused_ = false;
  bool locked_ = false;
  bool requested_ = false;
  PersonRequest allowed_by_person_;
  std::optional<std::int64_t> first_save_, last_save_;  // that no sync has taken along
  std::optional<Running> running_;
  int failures_ = 0;                        // in a row
  std::optional<std::int64_t> not_before_;  // after a sync that did not succeed
  std::optional<Errc> error_;               // of that sync
  bool needs_person_ = false;
  std::optional<std::int64_t> last_success_;
  AttachmentLimits last_limits_;  // of the last sync that succeeded
  std::vector<MeteredDay> days_;  // capacity for days_max
  // Times inside are those given, plus what the given clock has gone back by.
  std::int64_t now_ = INT64_MIN;
  std::int64_t went_back_ = 0;
  std::int64_t today_ = 0;
};

}  // namespace fieldsync
