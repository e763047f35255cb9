// What the scheduler promises under every sequence of events, tried with RapidCheck: 2,000
// sequences, or FIELDSYNC_HISTORIES. planted_bugs.toml beside this lists bugs that the tests
// of the scheduler must notice (tools/dev planted).
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>
#include <string>

#include "fieldsync/sync_scheduler.h"

using namespace fieldsync;

namespace {

enum class Kind {
  passes,
  goes_back,
  connects,
  loses,
  battery,
  screen,
  day,
  saves,
  asks,
  pauses,
  resumes,
  unlocks,
  syncs
};

struct Event {
  Kind kind = Kind::passes;
  std::uint32_t number = 0;  // which one, how long, how much
};

// A scheduler, and what the laws need to remember of what it was told.
class Device {
 public:
  // The law that is broken, or nothing.
  std::string take(const Event& event) {
    const std::uint32_t number = event.number;
    switch (event.kind) {
      case Kind::passes: now_.steady_ms += number % 4'000'000; break;
      case Kind::goes_back: go_back(number); break;
      case Kind::connects:
        connect(number % 2 == 0 ? Connectivity::metered : Connectivity::unmetered, number % 3);
        break;
      case Kind::loses: connect(Connectivity::none, 0); break;
      case Kind::battery:
        conditions_.battery_percent = static_cast<int>(number % 101);
        conditions_.charging = number % 3 == 0;
        scheduler_.set_conditions(conditions_, now_);
        break;
      case Kind::screen:
        conditions_.foreground = number % 2 == 0;
        scheduler_.set_conditions(conditions_, now_);
        break;
      case Kind::day: now_.utc_day = 20'000 + number % 3; break;
      case Kind::saves: save(); break;
      case Kind::asks: ask(number % 3 == 0); break;
      case Kind::pauses:
        scheduler_.paused();
        paused_ = true;
        break;
      case Kind::resumes:
        scheduler_.resumed();
        paused_ = false;
        break;
      case Kind::unlocks:
        scheduler_.unlocked();
        locked_ = false;
        break;
      case Kind::syncs:
        if (std::string broken = syncing_ ? end(number) : start(); !broken.empty()) return broken;
        break;
    }
    return look();
  }

  // From here on nothing happens but time.
  std::string comes_to_a_sync() {
    if (syncing_) end(1);
    scheduler_.resumed();
    scheduler_.unlocked();
    paused_ = locked_ = false;
    if (conditions_.connectivity == Connectivity::none) connect(Connectivity::metered, 1);
    if (needs_person_) return "";
    const std::int64_t began = now_.steady_ms;
    for (int asked = 0; asked < 3; ++asked) {
      const Decision decision = scheduler_.decide(now_);
      if (decision.what == Decision::What::sync_now) return decision.text ? "" : "a sync without text";
      if (decision.until_ms > began + policy_.backoff_ms_max) return "it is stuck: " + decision.message();
      if (decision.until_ms <= now_.steady_ms) return "a wait that is over already";
      now_.steady_ms = decision.until_ms;
    }
    return "its waits end in waits";
  }

 private:
  // What has passed, whatever the clock shows.
  [[nodiscard]] std::int64_t elapsed() const { return now_.steady_ms + went_back_; }

  void go_back(std::int64_t span) {
    now_.steady_ms -= span;
    went_back_ += span;
  }

  void connect(Connectivity connectivity, std::uint64_t network) {
    const bool other = connectivity != conditions_.connectivity || network != conditions_.network;
    conditions_.connectivity = connectivity;
    conditions_.network = network;
    scheduler_.set_conditions(conditions_, now_);
    if (!other || connectivity == Connectivity::none) return;
    failed_here_ = false;
    if (last_error_ == Errc::server_untrusted) needs_person_ = false;
  }

  void save() {
    scheduler_.saved(now_);
    unsent_since_ = std::min(unsent_since_, elapsed());
    locked_ = false;
  }

  void ask(bool all_attachments) {
    scheduler_.requested({all_attachments, false}, now_);
    asked_ = true;
    failed_here_ = needs_person_ = locked_ = false;
  }

  std::string start() {
    const Decision decision = scheduler_.decide(now_);
    if (decision.what != Decision::What::sync_now) return "";
    scheduler_.sync_started(now_);
    started_ = decision.attachments;
    started_day_ = now_.utc_day;
    syncing_ = true;
    asked_ = false;
    in_sync_since_ = std::exchange(unsent_since_, INT64_MAX);
    return "";
  }

  std::string end(std::uint32_t number) {
    static const std::vector<Errc> failures = {Errc::connection_lost,  Errc::offline,        Errc::overloaded,
                                               Errc::cancelled,        Errc::device_revoked, Errc::locked,
                                               Errc::server_untrusted, Errc::timeout};
    SyncEnd ended;
    ended.text_bytes = number % 1'000'000;
    ended.attachment_bytes = std::min<std::uint64_t>(started_.bytes_max, number % 30'000'000);
    if (number % 4 != 0) ended.error = failures[number / 4 % failures.size()];
    scheduler_.sync_ended(ended, now_);
    syncing_ = false;
    last_error_ = ended.error;
    locked_ = ended.error == Errc::locked;
    needs_person_ = ended.error && !describe(*ended.error).retry && !locked_ && !asked_;
    failed_here_ = ended.error && !locked_;
    if (ended.error) unsent_since_ = std::min(unsent_since_, in_sync_since_);
    if (started_.bytes_max == UINT64_MAX) return "";  // not on a metered network
    carried_[started_day_] += ended.attachment_bytes;
    return carried_[started_day_] > policy_.metered_bytes_per_day ? "a day has its budget twice" : "";
  }

  std::string look() {
    const Decision decision = scheduler_.decide(now_);
    const AttachmentLimits& may = decision.attachments;
    if ((may.previews || may.audio || may.photos) != (may.bytes_max > 0)) return "attachments of no bytes";
    if ((may.previews || may.audio || may.photos) && !decision.text) return "attachments without text";
    const bool held_back =
        paused_ || syncing_ || locked_ || needs_person_ || conditions_.connectivity == Connectivity::none;
    if (decision.what == Decision::What::sync_now) {
      if (held_back) return "a sync that should be held back";
      return decision.text ? "" : "a sync without text";
    }
    if (held_back) return "";
    if (decision.until_ms > now_.steady_ms + policy_.backoff_ms_max) return "a wait that is too long";
    if (asked_) return "the person waits";
    if (failed_here_) return "";
    if (decision.reason == Reason::backing_off) return "the wait goes on over a new connection";
    if (unsent_since_ != INT64_MAX && elapsed() >= unsent_since_ + policy_.quiet_ms_max) return "a save waits";
    return "";
  }

  const SchedulePolicy policy_;
  std::minstd_rand chance_{1};
  SyncScheduler scheduler_{policy_, [this] { return static_cast<double>(chance_() % 1001) / 1000.0; }};
  Conditions conditions_;
  ScheduleTime now_{1'000'000, 20'000};
  std::int64_t went_back_ = 0;
  bool paused_ = false, syncing_ = false, locked_ = false, needs_person_ = false;
  bool asked_ = false;        // since a sync began
  bool failed_here_ = false;  // since the connection is this one
  std::optional<Errc> last_error_;
  AttachmentLimits started_;
  std::int64_t started_day_ = 0;
  std::int64_t unsent_since_ = INT64_MAX, in_sync_since_ = INT64_MAX;
  std::map<std::int64_t, std::uint64_t> carried_;
};

void showValue(const Event& event, std::ostream& out) {
  static constexpr std::array<const char*, 13> names = {"passes",  "goes_back", "connects", "loses", "battery",
                                                        "screen",  "day",       "saves",    "asks",  "pauses",
                                                        "resumes", "unlocks",   "syncs"};
  out << names.at(static_cast<std::size_t>(event.kind)) << ' ' << event.number;
}

rc::Gen<Event> any_event() {
  const auto kind = rc::gen::weightedElement<Kind>({{4, Kind::passes},
                                                    {1, Kind::goes_back},
                                                    {3, Kind::connects},
                                                    {1, Kind::loses},
                                                    {1, Kind::battery},
                                                    {1, Kind::screen},
                                                    {2, Kind::day},
                                                    {3, Kind::saves},
                                                    {1, Kind::asks},
                                                    {1, Kind::pauses},
                                                    {2, Kind::resumes},
                                                    {2, Kind::unlocks},
                                                    {9, Kind::syncs}});
  const auto number = rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::uint32_t>(0, 100'000'000));
  return rc::gen::map(rc::gen::pair(kind, number), [](const auto& pair) { return Event{pair.first, pair.second}; });
}

template <typename Property>
void for_all_sequences(Property property) {
  const char* wanted = std::getenv("FIELDSYNC_HISTORIES");
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = wanted == nullptr ? 2'000 : std::atoi(wanted);
  const auto result = rc::detail::checkTestable(property, rc::detail::TestMetadata{}, params);
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  INFO(message.str());
  INFO("Repeat with RC_PARAMS=\"seed=" << params.seed << "\"");
  CHECK(result.template is<rc::detail::SuccessResult>());
}

}  // namespace

TEST_CASE("Whatever happens in whatever order, the scheduler keeps its rules and comes to a sync",
          "[scheduler][laws]") {
  for_all_sequences([] {
    const auto events = *rc::gen::container<std::vector<Event>>(any_event());
    Device device;
    for (const Event& event : events) {
      if (const std::string broken = device.take(event); !broken.empty()) RC_FAIL(broken);
    }
    if (const std::string broken = device.comes_to_a_sync(); !broken.empty()) RC_FAIL(broken);
  });
}
