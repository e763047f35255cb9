#include "fieldsync/schedule_simulation.h"

#include <algorithm>

#include "fieldsync/report.h"

namespace fieldsync::cli {
namespace {

constexpr std::int64_t day_ms = 24 * 3'600'000;
constexpr std::int64_t goes_on_ms = 3'600'000;
constexpr std::int64_t first_day = 20'000;  // any
constexpr char time_passes[] = "time passes";

class Simulation {
 public:
  Simulation(const std::vector<ScriptEvent>& events, const SchedulePolicy& policy)
      : events_(events), scheduler_(policy, [] { return 0.5; }) {}

  std::vector<SimulatedStep> run() {
    const std::int64_t end = events_.back().at_ms + goes_on_ms;
    now_ = events_.front().at_ms;
    while (true) {
      const Decision decision = scheduler_.decide(time());
      if (decision.what == Decision::What::sync_now) {
        if (steps_.back().decision.what != Decision::What::sync_now) note(time_passes);
        begin_sync(decision);
        continue;
      }
      const std::int64_t event_at = next_ < events_.size() ? events_[next_].at_ms : Decision::never_ms;
      const std::int64_t following = std::min({decision.until_ms, event_at, sync_ends_});
      if (following > end) return std::move(steps_);
      now_ = std::max(now_, following);
      if (sync_ends_ <= now_) {
        end_sync(locked_ ? Errc::locked : error_);
      } else if (event_at <= now_) {
        take(events_[next_++]);
      }
    }
  }

 private:
  [[nodiscard]] ScheduleTime time() const { return {now_, first_day + now_ / day_ms}; }

  void note(std::string what) { steps_.push_back({now_, std::move(what), scheduler_.decide(time())}); }

  void begin_sync(const Decision& decision) {
    scheduler_.sync_started(time());
    carries_ = decision.attachments;
    sync_ends_ = now_ + seconds_ * 1'000;
  }

  void end_sync(std::optional<Errc> error) {
    SyncEnd ended;
    ended.error = error;
    if (error != Errc::locked && error != Errc::offline) ended.text_bytes = text_bytes_;
    if (!error && carries_.photos) ended.attachment_bytes = std::min(photo_bytes_, carries_.bytes_max);
    photo_bytes_ -= ended.attachment_bytes;
    scheduler_.sync_ended(ended, time());
    sync_ends_ = Decision::never_ms;
    std::string carried = byte_count(ended.text_bytes) + " of text";
    if (ended.attachment_bytes > 0) carried += ", " + byte_count(ended.attachment_bytes) + " of photos";
    note(error ? "the sync ends with " + std::string(describe(*error).name) : "synced: " + carried);
  }

  void take(const ScriptEvent& event) {
    take_course(event);
    if (event.connectivity) conditions_.connectivity = *event.connectivity;
    if (event.network) conditions_.network = *event.network;
    if (event.battery_percent) conditions_.battery_percent = *event.battery_percent;
    if (event.charging) conditions_.charging = *event.charging;
    if (event.foreground) conditions_.foreground = *event.foreground;
    scheduler_.set_conditions(conditions_, time());
    if (event.pause) *event.pause ? scheduler_.paused() : scheduler_.resumed();
    if (event.lock) locked_ = *event.lock;
    if (event.lock && !locked_) scheduler_.unlocked();
    for (std::uint64_t i = 0; i < event.saves; ++i) scheduler_.saved(time());
    if (event.asks) scheduler_.requested(*event.asks, time());
    note(event.text());
    if (scheduler_.should_stop()) end_sync(Errc::cancelled);
  }

  void take_course(const ScriptEvent& event) {
    if (event.sync) error_ = *event.sync;
    if (event.seconds) seconds_ = *event.seconds;
    if (event.text_bytes) text_bytes_ = *event.text_bytes;
    photo_bytes_ += event.photo_bytes;
  }

  const std::vector<ScriptEvent>& events_;
  SyncScheduler scheduler_;
  Conditions conditions_;
  // How syncs go.
  std::optional<Errc> error_;
  std::int64_t seconds_ = 2;
  std::uint64_t text_bytes_ = 4'000;
  std::uint64_t photo_bytes_ = 0;
  AttachmentLimits carries_;
  bool locked_ = false;
  std::size_t next_ = 0;
  std::int64_t now_ = 0;
  std::int64_t sync_ends_ = Decision::never_ms;  // never: none runs
  std::vector<SimulatedStep> steps_;
};

// A poll that time alone brought about, and its end.
bool is_poll(const SimulatedStep* steps) {
  return steps[0].what == time_passes && steps[0].decision.reason == Reason::poll &&
         steps[1].what.starts_with("synced") && steps[1].decision.reason == Reason::up_to_date;
}

bool is_same_poll(const SimulatedStep* one, const SimulatedStep* other) {
  return is_poll(other) && one[1].what == other[1].what;
}

}  // namespace

std::vector<SimulatedStep> simulate(const std::vector<ScriptEvent>& events, const SchedulePolicy& policy) {
  return Simulation(events, policy).run();
}

std::vector<SimulatedStep> without_repeated_polls(const std::vector<SimulatedStep>& steps) {
  std::vector<SimulatedStep> kept;
  std::size_t at = 0;
  while (at < steps.size()) {
    const bool poll = at + 1 < steps.size() && is_poll(&steps[at]);
    kept.push_back(steps[at]);
    if (!poll) {
      ++at;
      continue;
    }
    kept.push_back(steps[at + 1]);
    std::size_t following = at + 2;
    while (following + 1 < steps.size() && is_same_poll(&steps[at], &steps[following])) following += 2;
    const std::size_t others = (following - at) / 2 - 1;
    if (others == 1) kept.insert(kept.end(), {steps[at + 2], steps[at + 3]});
    if (others > 1) {
      const SimulatedStep& last = steps[following - 1];
      kept.push_back({last.at_ms, "... and " + std::to_string(others) + " times more the same", last.decision});
    }
    at = following;
  }
  return kept;
}

}  // namespace fieldsync::cli
