#include "fieldsync/sync_scheduler.h"

#include <algorithm>
#include <array>

#include "core/check.h"
#include "core/time.h"

namespace fieldsync {
namespace {

constexpr auto reasons = std::to_array<ReasonEntry>({
    {Reason::paused, "paused", "Syncing is paused, until it is resumed."},
    {Reason::syncing, "syncing", "A sync is running."},
    {Reason::locked, "locked", "The store is locked. Syncing goes on when it is unlocked."},
    {Reason::needs_person, "needs_person", "The last sync failed in a way that does not go away by itself."},
    {Reason::no_connection, "no_connection", "There is no connection. Everything stays saved here."},
    {Reason::backing_off, "backing_off", "The last sync failed. It is tried again after a while."},
    {Reason::resting, "resting", "The last sync was cancelled, or another one was running. It is tried again soon."},
    {Reason::quiet_time, "quiet_time", "Something was saved. It is sent when nothing was saved for a moment."},
    {Reason::up_to_date, "up_to_date", "Nothing waits to be sent. Others' changes are asked for later."},
    {Reason::person_asked, "person_asked", "The person asked for it."},
    {Reason::saved, "saved", "Something that was saved waits to be sent."},
    {Reason::retrying, "retrying", "The last sync did not succeed, and its wait is over."},
    {Reason::more_allowed, "more_allowed", "Attachments may travel now that were held back before."},
    {Reason::poll, "poll", "It is time to ask for others' changes."},
});

constexpr std::int64_t span_ms_max = std::int64_t{366} * 24 * 3'600'000;

std::int64_t later(std::int64_t time, std::int64_t span) { return (core::Instant{time} + core::Milliseconds{span}).ms; }

std::uint64_t sum(std::uint64_t one, std::uint64_t other) {
  return one > UINT64_MAX - other ? UINT64_MAX : one + other;
}

bool wider(const AttachmentLimits& limits, const AttachmentLimits& than) {
  return (limits.previews && !than.previews) || (limits.audio && !than.audio) || (limits.photos && !than.photos);
}

}  // namespace

const ReasonEntry& describe(Reason reason) {
  const auto at =
      std::find_if(reasons.begin(), reasons.end(), [&](const ReasonEntry& entry) { return entry.reason == reason; });
  FIELDSYNC_CHECK(at != reasons.end(), "every reason has its row");
  return *at;
}

std::string Decision::message() const {
  std::string sentences(describe(reason).sentence);
  if (error) sentences.append(" ").append(describe(*error).sentence);
  return sentences;
}

Result<void> check(const SchedulePolicy& policy) {
  struct Span {
    std::string_view name;
    std::int64_t ms;
  };
  const auto spans = std::to_array<Span>({{"quiet_ms", policy.quiet_ms},
                                          {"quiet_ms_max", policy.quiet_ms_max},
                                          {"poll_foreground_ms", policy.poll_foreground_ms},
                                          {"poll_background_ms", policy.poll_background_ms},
                                          {"poll_metered_ms", policy.poll_metered_ms},
                                          {"backoff_ms_first", policy.backoff_ms_first},
                                          {"backoff_ms_max", policy.backoff_ms_max},
                                          {"backoff_ms_least", policy.backoff_ms_least},
                                          {"rest_ms", policy.rest_ms}});
  for (const Span& span : spans) {
    if (span.ms < 1 || span.ms > span_ms_max)
      return Error{Errc::invalid_argument, std::string(span.name) + " must be from 1 ms to 366 days."};
  }
  if (policy.quiet_ms > policy.quiet_ms_max)
    return Error{Errc::invalid_argument, "quiet_ms must not be more than quiet_ms_max."};
  if (policy.backoff_ms_first > policy.backoff_ms_max || policy.backoff_ms_least > policy.backoff_ms_max)
    return Error{Errc::invalid_argument, "backoff_ms_first and backoff_ms_least must not be more than backoff_ms_max."};
  if (policy.low_battery_percent < 0 || policy.low_battery_percent > 100)
    return Error{Errc::invalid_argument, "low_battery_percent must be from 0 to 100."};
  return {};
}

SyncScheduler::SyncScheduler(const SchedulePolicy& policy, std::function<double()> jitter,
                             const std::vector<MeteredDay>& used)
    : policy_(policy), jitter_(std::move(jitter)) {
  FIELDSYNC_CHECK(check(policy), "the policy's waits are waits");
  days_.reserve(days_max);
  for (const MeteredDay& day : used) count(day.utc_day, day.bytes);
}

void SyncScheduler::set_policy(const SchedulePolicy& policy) {
  FIELDSYNC_CHECK(check(policy), "the policy's waits are waits");
  policy_ = policy;
}

// A clock that goes back would make a wait that never ends: then the difference is added
// from there on, as if no time had passed.
std::int64_t SyncScheduler::observe(ScheduleTime now) {
  const std::int64_t moved = later(now.steady_ms, went_back_);
  if (moved < now_) went_back_ = (core::Instant{now_} - core::Instant{now.steady_ms}).count;
  now_ = std::max(now_, moved);
  today_ = now.utc_day;
  return now_;
}

void SyncScheduler::set_conditions(const Conditions& conditions, ScheduleTime now) {
  observe(now);
  const bool other = conditions.connectivity != conditions_.connectivity || conditions.network != conditions_.network;
  conditions_ = conditions;
  if (running_ && wider(running_->limits, limits())) running_->stopped = true;
  if (!other || conditions.connectivity == Connectivity::none || !error_) return;
  // A hotel's login page answers in the office's place; the next network may be without one.
  if (needs_person_ && error_ != Errc::server_untrusted) return;
  needs_person_ = false;
  failures_ = 0;
  not_before_ = now_;
}

void SyncScheduler::saved(ScheduleTime now) {
  last_save_ = observe(now);
  if (!first_save_) first_save_ = last_save_;
  locked_ = false;  // a locked store takes no save
}

void SyncScheduler::requested(const PersonRequest& request, ScheduleTime now) {
  observe(now);
  requested_ = true;
  allowed_by_person_.all_attachments |= request.all_attachments;
  allowed_by_person_.beyond_budget |= request.beyond_budget;
  locked_ = false;  // tried once
  forget_failures();
}

void SyncScheduler::paused() {
  paused_ = true;
  if (running_) running_->stopped = true;
}

void SyncScheduler::resumed() { paused_ = false; }

void SyncScheduler::forget_failures() {
  failures_ = 0;
  not_before_.reset();
  error_.reset();
  needs_person_ = false;
}

AttachmentLimits SyncScheduler::limits() const {
  const bool low = conditions_.battery_percent && *conditions_.battery_percent < policy_.low_battery_percent &&
                   !conditions_.charging;
  const bool metered = conditions_.connectivity == Connectivity::metered;
  const bool all = allowed_by_person_.all_attachments;
  AttachmentLimits limits;
  if (metered && !allowed_by_person_.beyond_budget) limits.bytes_max = budget_left(today_);
  const bool none = limits.bytes_max == 0 || (low && !all);
  limits.previews = !none && (!metered || policy_.previews_on_metered || all);
  limits.audio = !none && (!metered || policy_.audio_on_metered || all);
  limits.photos = !none && (!metered || policy_.photos_on_metered || all);
  if (none) limits.bytes_max = 0;
  return limits;
}

std::uint64_t SyncScheduler::budget_left(std::int64_t utc_day) const {
  const auto day = std::find_if(days_.begin(), days_.end(), [&](const auto& each) { return each.utc_day == utc_day; });
  const std::uint64_t used = day == days_.end() ? 0 : day->bytes;
  return policy_.metered_bytes_per_day - std::min(policy_.metered_bytes_per_day, used);
}

// What was seen first is forgotten first, whatever day it was: a clock that was wrong for a
// month would else leave no room for the days after it was put right.
void SyncScheduler::count(std::int64_t utc_day, std::uint64_t bytes) {
  if (bytes == 0) return;
  const auto at = std::find_if(days_.begin(), days_.end(), [&](const auto& each) { return each.utc_day == utc_day; });
  if (at != days_.end()) {
    at->bytes = sum(at->bytes, bytes);
    return;
  }
  if (days_.size() == days_max) days_.erase(days_.begin());
  days_.push_back({utc_day, bytes});
}

std::optional<Reason> SyncScheduler::held_back_by() const {
  if (paused_) return Reason::paused;
  if (running_) return Reason::syncing;
  if (locked_) return Reason::locked;
  if (needs_person_ && !requested_) return Reason::needs_person;
  if (conditions_.connectivity == Connectivity::none) return Reason::no_connection;
  return std::nullopt;
}

Decision SyncScheduler::decide(ScheduleTime given) {
  const std::int64_t now = observe(given);
  Decision decision;
  if (const auto held_back = held_back_by()) {
    decision.reason = *held_back;
    if (*held_back == Reason::needs_person) decision.error = error_;
    if (*held_back == Reason::syncing) {
      decision.text = true;
      decision.attachments = running_->limits;
    }
    return decision;
  }
  decision.text = true;
  decision.attachments = limits();
  const Due due = next_due(now);
  decision.reason = due.reason;
  if (due.at <= now) {
    decision.what = Decision::What::sync_now;
  } else {
    decision.until_ms = due.at - went_back_;
  }
  if (not_before_ && !requested_) decision.error = error_;
  return decision;
}

SyncScheduler::Due SyncScheduler::next_due(std::int64_t now) const {
  if (requested_) return {now, Reason::person_asked};
  if (not_before_) {
    if (*not_before_ <= now) return {*not_before_, Reason::retrying};
    return {*not_before_, failures_ > 0 ? Reason::backing_off : Reason::resting};
  }
  // What stands first is named where several are due.
  const std::array<Due, 3> dues = {save_due(), more_due(), poll_due(now)};
  for (const Due& due : dues) {
    if (due.at <= now) return due;
  }
  const Due& soonest =
      *std::min_element(dues.begin(), dues.end(), [](const Due& a, const Due& b) { return a.at < b.at; });
  return {soonest.at, soonest.reason == Reason::saved ? Reason::quiet_time : Reason::up_to_date};
}

SyncScheduler::Due SyncScheduler::save_due() const {
  if (!first_save_) return {Decision::never_ms, Reason::saved};
  const std::int64_t last = last_save_.value_or(*first_save_);
  return {std::min(later(last, policy_.quiet_ms), later(*first_save_, policy_.quiet_ms_max)), Reason::saved};
}

// Conditions that flutter cause no more than one sync for each poll.
SyncScheduler::Due SyncScheduler::more_due() const {
  const bool more = last_success_ && wider(limits(), last_limits_);
  return {more ? later(*last_success_, policy_.poll_foreground_ms) : Decision::never_ms, Reason::more_allowed};
}

SyncScheduler::Due SyncScheduler::poll_due(std::int64_t now) const {
  if (!last_success_) return {now, Reason::poll};
  const bool metered = conditions_.connectivity == Connectivity::metered;
  const std::int64_t unmetered_ms = conditions_.foreground ? policy_.poll_foreground_ms : policy_.poll_background_ms;
  return {later(*last_success_, metered ? policy_.poll_metered_ms : unmetered_ms), Reason::poll};
}

void SyncScheduler::sync_started(ScheduleTime now) {
  FIELDSYNC_CHECK(!running_, "one sync at a time");
  observe(now);
  Running running;
  running.limits = limits();
  running.utc_day = today_;
  running.metered = conditions_.connectivity == Connectivity::metered;
  running.requested = requested_;
  running.first_save = first_save_;
  running_ = running;
  requested_ = false;
  needs_person_ = false;  // else it would not begin
  first_save_.reset();
  last_save_.reset();
}

bool SyncScheduler::should_stop() const { return running_ && running_->stopped; }

void SyncScheduler::sync_ended(const SyncEnd& end, ScheduleTime given) {
  FIELDSYNC_CHECK(running_, "a sync that ends has begun");
  const std::int64_t now = observe(given);
  if (running_->metered || conditions_.connectivity == Connectivity::metered)
    count(running_->utc_day, sum(end.text_bytes, end.attachment_bytes));
  if (end.error) {
    give_back();
    take_up_failure(*end.error, now);
  } else {
    forget_failures();
    locked_ = false;
    last_success_ = now;
    last_limits_ = running_->limits;
    if (!requested_) allowed_by_person_ = {};
  }
  running_.reset();
}

// What the sync was to carry waits again, since it was saved.
void SyncScheduler::give_back() {
  if (!running_->first_save) return;
  first_save_ = running_->first_save;
  if (!last_save_) last_save_ = first_save_;
}

void SyncScheduler::take_up_failure(Errc error, std::int64_t now) {
  if (error == Errc::locked) {
    locked_ = true;
    requested_ |= running_->requested;
    return;
  }
  if (error == Errc::cancelled && running_->stopped) {
    requested_ |= running_->requested;
    return;
  }
  error_ = error;
  if (error == Errc::cancelled || error == Errc::in_use) {
    not_before_ = later(now, policy_.rest_ms);
    failures_ = 0;
    return;
  }
  if (!describe(error).retry) {
    needs_person_ = true;
    not_before_.reset();
    return;
  }
  failures_ = std::min(failures_ + 1, 62);
  not_before_ = later(now, backoff());
}

std::int64_t SyncScheduler::backoff() const {
  std::int64_t bound = policy_.backoff_ms_first;
  for (int i = 1; i < failures_ && bound < policy_.backoff_ms_max; ++i) bound *= 2;
  bound = std::min(bound, policy_.backoff_ms_max);
  const double part = jitter_();
  const double whole = part >= 0 && part <= 1 ? part : 1;
  return std::max(policy_.backoff_ms_least, static_cast<std::int64_t>(static_cast<double>(bound) * whole));
}

}  // namespace fieldsync
