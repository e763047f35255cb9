// app_schedule.h: when an app syncs that follows the library's scheduler, as BackgroundSync
// does on a thread: fieldsync/sync_scheduler.h. Its day, its network and its battery change
// by chance.
#pragma once

#include <optional>
#include <string>

#include "fieldsync/sync_scheduler.h"
#include "sim/run.h"

namespace fieldsync::sim {

class AppSchedule {
 public:
  AppSchedule(Run& run, std::string name);

  // A sync begins now, and carries no more than that. Nothing where none is due.
  [[nodiscard]] std::optional<AttachmentLimits> begin(std::int64_t utc_ms);
  // When it is to be asked again at the latest; nothing where only an event changes anything.
  [[nodiscard]] std::optional<std::int64_t> wait_ms(std::int64_t utc_ms);

  void saved(std::int64_t utc_ms) { scheduler_.saved(time(utc_ms)); }
  void asked(std::int64_t utc_ms);
  void change_conditions(std::int64_t utc_ms);
  void ended(const std::optional<Errc>& error, const SyncReport& report, std::int64_t utc_ms);
  [[nodiscard]] bool should_stop() const { return scheduler_.should_stop(); }
  // What the sync that runs may carry.
  [[nodiscard]] const AttachmentLimits& limits() const { return limits_; }
  // The app begins anew: a day's budget is all that it kept.
  void restart(std::int64_t utc_ms);

 private:
  [[nodiscard]] ScheduleTime time(std::int64_t utc_ms) const { return {run_.schedule.now(), utc_ms / day_ms}; }
  [[nodiscard]] SyncScheduler make_scheduler(const std::vector<MeteredDay>& used);

  Run& run_;
  std::string name_;
  Chance chance_;
  SyncScheduler scheduler_;
  Conditions conditions_;
  AttachmentLimits limits_;
};

}  // namespace fieldsync::sim
