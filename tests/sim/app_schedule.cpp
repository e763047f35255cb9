#include "sim/app_schedule.h"

namespace fieldsync::sim {
namespace {

// What only an event ends.
bool may_wait_for_ever(const Conditions& conditions, Reason reason) {
  switch (reason) {
    case Reason::syncing:
    case Reason::locked:
    case Reason::needs_person: return true;
    default: return conditions.connectivity == Connectivity::none;
  }
}

}  // namespace

AppSchedule::AppSchedule(Run& run, std::string name)
    : run_(run),
      name_(std::move(name)),
      chance_(run.chances.of(FaultKind::schedule_followed).fork()),
      scheduler_(make_scheduler({})) {}

SyncScheduler AppSchedule::make_scheduler(const std::vector<MeteredDay>& used) {
  SchedulePolicy policy;
  // A photo is most of a day's budget.
  policy.metered_bytes_per_day = 60'000;
  // Weeks are to be played in a moment.
  policy.poll_foreground_ms = 3 * hour_ms;
  policy.poll_background_ms = policy.poll_metered_ms = 12 * hour_ms;
  policy.backoff_ms_max = 6 * hour_ms;
  policy.photos_on_metered = chance_.happens(0.3);
  return {policy, [this] { return chance_.part(); }, used};
}

std::optional<AttachmentLimits> AppSchedule::begin(std::int64_t utc_ms) {
  const Decision decision = scheduler_.decide(time(utc_ms));
  if (decision.what != Decision::What::sync_now) return std::nullopt;
  scheduler_.sync_started(time(utc_ms));
  limits_ = decision.attachments;
  run_.story.tell(name_, "is to sync: " + std::string(describe(decision.reason).name));
  return limits_;
}

std::optional<std::int64_t> AppSchedule::wait_ms(std::int64_t utc_ms) {
  const Decision decision = scheduler_.decide(time(utc_ms));
  if (decision.what == Decision::What::sync_now) return 0;
  if (decision.until_ms != Decision::never_ms)
    return std::max<std::int64_t>(decision.until_ms - run_.schedule.now(), 0);
  if (!may_wait_for_ever(conditions_, decision.reason))
    throw BrokenPromise(name_ + " has a connection and waits for ever: " + std::string(describe(decision.reason).name));
  return std::nullopt;
}

void AppSchedule::asked(std::int64_t utc_ms) {
  PersonRequest request;
  request.all_attachments = chance_.happens(0.2);
  request.beyond_budget = chance_.happens(0.2);
  scheduler_.requested(request, time(utc_ms));
}

void AppSchedule::change_conditions(std::int64_t utc_ms) {
  static constexpr Connectivity kinds[] = {Connectivity::none, Connectivity::metered, Connectivity::unmetered};
  conditions_.connectivity = chance_.pick(kinds);
  conditions_.network = chance_.below(3);
  conditions_.battery_percent = static_cast<int>(chance_.between(5, 100));
  conditions_.charging = chance_.happens(0.3);
  conditions_.foreground = chance_.happens(0.5);
  scheduler_.set_conditions(conditions_, time(utc_ms));
}

void AppSchedule::ended(const std::optional<Errc>& error, const SyncReport& report, std::int64_t utc_ms) {
  const std::uint64_t attachment_bytes = report.attachment_bytes_up + report.attachment_bytes_down;
  if (attachment_bytes > limits_.bytes_max)
    throw BrokenPromise(name_ + " carries more bytes of attachments than a sync may");
  scheduler_.sync_ended({error, report.body_bytes_up + report.body_bytes_down, attachment_bytes}, time(utc_ms));
}

void AppSchedule::restart(std::int64_t utc_ms) {
  scheduler_ = make_scheduler(scheduler_.metered_days());
  scheduler_.set_conditions(conditions_, time(utc_ms));
}

}  // namespace fieldsync::sim
