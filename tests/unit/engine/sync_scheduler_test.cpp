// One test for each rule of the scheduler. What holds for every sequence of events is in
// sync_scheduler_laws_test.cpp.
#include "fieldsync/sync_scheduler.h"

#include <catch2/catch.hpp>
#include <string>

using namespace fieldsync;

namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t minute = 60 * second;
constexpr AttachmentLimits everything{};
constexpr AttachmentLimits nothing{false, false, false, 0};

// A scheduler and the clock that it is told.
struct Scheduled {
  explicit Scheduled(Connectivity connectivity, double jitter = 1, const std::vector<MeteredDay>& used = {})
      : scheduler(
            SchedulePolicy{}, [jitter] { return jitter; }, used) {
    conditions.connectivity = connectivity;
    conditions.foreground = true;
    tell();
  }

  void tell() { scheduler.set_conditions(conditions, now); }
  void tell(Connectivity connectivity) {
    conditions.connectivity = connectivity;
    tell();
  }
  void after(std::int64_t ms) { now.steady_ms += ms; }
  Decision decide() { return scheduler.decide(now); }
  void save() { scheduler.saved(now); }
  void ask(const PersonRequest& request = {}) { scheduler.requested(request, now); }
  void start() { scheduler.sync_started(now); }
  void end(std::optional<Errc> error = {}, std::uint64_t text = 0, std::uint64_t attachments = 0) {
    scheduler.sync_ended({error, text, attachments}, now);
  }
  void sync(std::optional<Errc> error = {}, std::uint64_t text = 0, std::uint64_t attachments = 0) {
    start();
    end(error, text, attachments);
  }
  // What it decides: "sync_now saved", "wait 5000 quiet_time", "wait paused".
  std::string says() {
    const Decision decision = decide();
    const std::string why(describe(decision.reason).name);
    if (decision.what == Decision::What::sync_now) return "sync_now " + why;
    if (decision.until_ms == Decision::never_ms) return "wait " + why;
    return "wait " + std::to_string(decision.until_ms - now.steady_ms) + " " + why;
  }

  SyncScheduler scheduler;
  Conditions conditions;
  ScheduleTime now{1'000'000, 20'000};
};

Scheduled synced(Connectivity connectivity, double jitter = 1) {
  Scheduled device(connectivity, jitter);
  device.sync();
  return device;
}

// The waits after so many failures in a row.
std::vector<std::int64_t> waits_after_failures(Scheduled& device, int failures) {
  std::vector<std::int64_t> waits;
  for (int i = 0; i < failures; ++i) {
    device.sync(Errc::connection_lost);
    waits.push_back(device.decide().until_ms - device.now.steady_ms);
    device.after(waits.back());
  }
  return waits;
}

}  // namespace

TEST_CASE("Without a connection nothing is tried, and nothing may travel", "[scheduler]") {
  Scheduled device(Connectivity::none);
  device.save();
  device.ask();
  device.after(60 * minute);
  CHECK(device.says() == "wait no_connection");
  CHECK_FALSE(device.decide().text);
  CHECK(device.decide().attachments == nothing);
}

TEST_CASE("What waited for a connection goes as soon as there is one", "[scheduler]") {
  Scheduled device = synced(Connectivity::unmetered);
  device.tell(Connectivity::none);
  device.save();
  device.after(10 * second);
  device.tell(Connectivity::metered);
  CHECK(device.says() == "sync_now saved");
}

TEST_CASE("The first connection after the start is used to ask for others' changes", "[scheduler]") {
  Scheduled device(Connectivity::metered);
  CHECK(device.says() == "sync_now poll");
}

TEST_CASE("A save is sent after five quiet seconds, and a minute after the first one at the latest", "[scheduler]") {
  Scheduled device = synced(Connectivity::metered);
  device.save();
  CHECK(device.says() == "wait 5000 quiet_time");
  device.after(4 * second);
  device.save();
  CHECK(device.says() == "wait 5000 quiet_time");
  for (int i = 0; i < 13; ++i) {
    device.after(4 * second);
    device.save();
  }
  CHECK(device.says() == "wait 4000 quiet_time");
  device.after(4 * second);
  device.save();
  CHECK(device.says() == "sync_now saved");
  device.sync();
  CHECK(device.says() == "wait 1800000 up_to_date");
}

TEST_CASE("What is saved while a sync runs causes another one", "[scheduler]") {
  Scheduled device = synced(Connectivity::unmetered);
  device.save();
  device.after(5 * second);
  device.start();
  CHECK(device.says() == "wait syncing");
  device.after(2 * second);
  device.save();
  device.after(second);
  device.end();
  CHECK(device.says() == "wait 4000 quiet_time");
}

TEST_CASE(
    "Others' changes are asked for each minute on the screen, each 15 minutes behind it, each 30 where bytes cost",
    "[scheduler]") {
  Scheduled device = synced(Connectivity::unmetered);
  CHECK(device.says() == "wait 60000 up_to_date");
  device.conditions.foreground = false;
  device.tell();
  CHECK(device.says() == "wait 900000 up_to_date");
  device.tell(Connectivity::metered);
  CHECK(device.says() == "wait 1800000 up_to_date");
  device.conditions.foreground = true;
  device.tell();
  CHECK(device.says() == "wait 1800000 up_to_date");
  device.after(30 * minute);
  CHECK(device.says() == "sync_now poll");
}

TEST_CASE("Text and previews travel everywhere, audio and photos only where bytes cost nothing", "[scheduler]") {
  Scheduled device(Connectivity::metered);
  CHECK(device.decide().text);
  CHECK(device.decide().attachments == AttachmentLimits{true, false, false, 20'000'000});
  device.tell(Connectivity::unmetered);
  CHECK(device.decide().text);
  CHECK(device.decide().attachments == everything);
}

TEST_CASE("The policy may allow audio and photos on metered networks, and forbid previews", "[scheduler]") {
  Scheduled device(Connectivity::metered);
  SchedulePolicy policy;
  policy.previews_on_metered = false;
  policy.audio_on_metered = true;
  device.scheduler.set_policy(policy);
  CHECK(device.decide().attachments == AttachmentLimits{false, true, false, 20'000'000});
  policy.photos_on_metered = true;
  device.scheduler.set_policy(policy);
  CHECK(device.decide().attachments == AttachmentLimits{false, true, true, 20'000'000});
}

TEST_CASE("Below 20 % of battery and not charging only text travels", "[scheduler]") {
  Scheduled device(Connectivity::unmetered);
  device.conditions.battery_percent = 19;
  device.tell();
  CHECK(device.says() == "sync_now poll");
  CHECK(device.decide().text);
  CHECK(device.decide().attachments == nothing);
  device.conditions.charging = true;
  device.tell();
  CHECK(device.decide().attachments == everything);
  device.conditions.charging = false;
  device.conditions.battery_percent = 20;
  device.tell();
  CHECK(device.decide().attachments == everything);
  device.conditions.battery_percent = std::nullopt;
  device.tell();
  CHECK(device.decide().attachments == everything);
}

TEST_CASE("The day's budget counts what metered networks carried, text too, and never holds text back", "[scheduler]") {
  Scheduled device = synced(Connectivity::metered);
  device.sync({}, 3'000'000, 4'000'000);
  CHECK(device.decide().attachments == AttachmentLimits{true, false, false, 13'000'000});
  device.sync(Errc::connection_lost, 1'000'000, 0);
  CHECK(device.decide().attachments.bytes_max == 12'000'000);
  device.tell(Connectivity::unmetered);
  device.sync({}, 50'000'000, 50'000'000);
  device.tell(Connectivity::metered);
  CHECK(device.decide().attachments.bytes_max == 12'000'000);
  device.sync({}, 12'000'000, 0);
  CHECK(device.decide().attachments == nothing);
  device.save();
  device.after(5 * second);
  CHECK(device.says() == "sync_now saved");
  CHECK(device.decide().text);
}

TEST_CASE("A sync that ends on a metered network counts, wherever it began", "[scheduler]") {
  Scheduled device(Connectivity::unmetered);
  device.start();
  device.tell(Connectivity::metered);
  device.end({}, 1'000'000);
  CHECK(device.decide().attachments.bytes_max == 19'000'000);
}

TEST_CASE("The next day has its own budget, and what it allows is fetched", "[scheduler]") {
  Scheduled device = synced(Connectivity::metered);
  device.sync({}, 20'000'000);
  device.after(30 * minute);
  device.sync();
  CHECK(device.says() == "wait 1800000 up_to_date");
  ++device.now.utc_day;
  CHECK(device.decide().attachments == AttachmentLimits{true, false, false, 20'000'000});
  device.after(minute);
  CHECK(device.says() == "sync_now more_allowed");
}

TEST_CASE("No day gets its budget twice, however the clock is set, and a restart changes nothing", "[scheduler]") {
  Scheduled device(Connectivity::metered);
  const auto left = [&](std::int64_t day) {
    device.now.utc_day = day;
    return device.decide().attachments.bytes_max;
  };
  device.sync({}, 20'000'000);
  CHECK(left(20'001) == 20'000'000);
  device.sync({}, 5'000'000);
  CHECK(left(20'000) == 0);
  CHECK(left(90'000) == 20'000'000);
  device.sync({}, 20'000'000);
  CHECK(left(20'001) == 15'000'000);
  CHECK(left(90'000) == 0);
  Scheduled restarted(Connectivity::metered, 1, device.scheduler.metered_days());
  CHECK(restarted.decide().attachments == nothing);
  CHECK(restarted.scheduler.metered_days() ==
        std::vector<MeteredDay>{{20'000, 20'000'000}, {20'001, 5'000'000}, {90'000, 20'000'000}});
}

TEST_CASE("A clock that was wrong for a month leaves a budget for the days after it", "[scheduler]") {
  Scheduled device(Connectivity::metered);
  for (std::int64_t day = 90'000; day < 90'040; ++day) {
    device.now.utc_day = day;
    device.sync({}, 20'000'000);
  }
  CHECK(device.scheduler.metered_days().size() == SyncScheduler::days_max);
  device.now.utc_day = 20'000;
  CHECK(device.decide().attachments.bytes_max == 20'000'000);
  device.sync({}, 15'000'000);
  CHECK(device.decide().attachments.bytes_max == 5'000'000);
}

TEST_CASE("A sync counts for the day whose budget it was given", "[scheduler]") {
  Scheduled device(Connectivity::metered);
  device.start();
  ++device.now.utc_day;
  device.end({}, 1'000'000);
  CHECK(device.scheduler.metered_days() == std::vector<MeteredDay>{{20'000, 1'000'000}});
}

TEST_CASE("Numbers beyond all bounds count as the bound", "[scheduler]") {
  Scheduled device(Connectivity::metered);
  device.sync({}, UINT64_MAX, UINT64_MAX);
  device.sync({}, 1, 1);
  CHECK(device.scheduler.metered_days() == std::vector<MeteredDay>{{20'000, UINT64_MAX}});
}

TEST_CASE("When more may travel than at the last sync, one follows, at most once a minute", "[scheduler]") {
  Scheduled device = synced(Connectivity::metered);
  device.conditions.foreground = false;
  device.tell(Connectivity::unmetered);
  CHECK(device.says() == "wait 60000 up_to_date");
  device.after(minute);
  CHECK(device.says() == "sync_now more_allowed");
  device.sync();
  CHECK(device.says() == "wait 900000 up_to_date");
  device.conditions.battery_percent = 10;
  device.tell();
  device.after(minute);
  CHECK(device.says() == "wait 840000 up_to_date");
}

TEST_CASE("Waits after failures double from 5 seconds to 30 minutes, jittered over their whole length", "[scheduler]") {
  const std::vector<std::int64_t> bounds = {5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800, 1800};
  Scheduled longest(Connectivity::metered, 1);
  Scheduled half(Connectivity::metered, 0.5);
  std::vector<std::int64_t> whole, halves;
  for (const std::int64_t bound : bounds) {
    whole.push_back(bound * second);
    halves.push_back(bound * second / 2);
  }
  CHECK(waits_after_failures(longest, 12) == whole);
  CHECK(waits_after_failures(half, 12) == halves);
  CHECK(longest.says() == "sync_now retrying");
}

TEST_CASE("However often it fails, and whatever chance says, a wait is from 1 second to 30 minutes", "[scheduler]") {
  for (const double jitter : {0.0, -1.0, 2.0, std::numeric_limits<double>::quiet_NaN()}) {
    Scheduled device(Connectivity::metered, jitter);
    for (const std::int64_t wait : waits_after_failures(device, 200)) {
      CHECK(wait >= second);
      CHECK(wait <= 30 * minute);
    }
  }
}

TEST_CASE("While it waits after a failure, saves and polls wait too, and the decision says why", "[scheduler]") {
  Scheduled device(Connectivity::metered);
  waits_after_failures(device, 8);
  device.sync(Errc::overloaded);
  device.save();
  device.after(10 * minute);
  CHECK(device.says() == "wait 680000 backing_off");
  CHECK(device.decide().error == Errc::overloaded);
  CHECK(device.decide().message() ==
        "The last sync failed. It is tried again after a while. The server is busy. Try again in a moment.");
}

TEST_CASE("A new connection, another network and the person end the wait and begin the count anew", "[scheduler]") {
  const auto after_eight = [] {
    Scheduled device(Connectivity::metered);
    waits_after_failures(device, 8);
    device.sync(Errc::connection_lost);
    CHECK(device.says() == "wait 1280000 backing_off");
    return device;
  };
  const auto begins_anew = [](Scheduled device, const std::string& why) {
    CHECK(device.says() == "sync_now " + why);
    device.sync(Errc::connection_lost);
    CHECK(device.says() == "wait 5000 backing_off");
  };
  Scheduled connected = after_eight();
  connected.tell(Connectivity::none);
  CHECK(connected.says() == "wait no_connection");
  connected.tell(Connectivity::metered);
  begins_anew(connected, "retrying");
  Scheduled elsewhere = after_eight();
  ++elsewhere.conditions.network;
  elsewhere.tell();
  begins_anew(elsewhere, "retrying");
  Scheduled on_wifi = after_eight();
  on_wifi.tell(Connectivity::unmetered);
  begins_anew(on_wifi, "retrying");
  Scheduled asked = after_eight();
  asked.ask();
  begins_anew(asked, "person_asked");
  Scheduled worked = after_eight();
  worked.after(1280 * second);
  worked.sync();
  CHECK(worked.says() == "wait 1800000 up_to_date");
  worked.sync(Errc::connection_lost);
  CHECK(worked.says() == "wait 5000 backing_off");
  Scheduled told_again = after_eight();
  told_again.conditions.battery_percent = 50;
  told_again.conditions.foreground = false;
  told_again.tell();
  CHECK(told_again.says() == "wait 1280000 backing_off");
}

TEST_CASE("What does not go away by itself is not tried again until the person asks, and says so", "[scheduler]") {
  for (const ErrcEntry& entry : all_errors()) {
    if (entry.retry || entry.code == Errc::locked) continue;
    INFO(entry.name);
    Scheduled device(Connectivity::metered);
    device.sync(entry.code);
    device.save();
    device.after(24 * 60 * minute);
    CHECK(device.says() == "wait needs_person");
    CHECK(device.decide().error == entry.code);
    CHECK(device.decide().message().ends_with(entry.sentence));
    if (entry.code != Errc::server_untrusted) {
      device.tell(Connectivity::unmetered);
      CHECK(device.says() == "wait needs_person");
    }
    device.ask();
    CHECK(device.says() == "sync_now person_asked");
    device.sync(entry.code);
    CHECK(device.says() == "wait needs_person");
    device.ask();
    device.sync();
    CHECK(device.decide().reason == Reason::up_to_date);
  }
}

TEST_CASE("Who asks while a sync runs that fails for good gets one more try", "[scheduler]") {
  Scheduled device(Connectivity::metered);
  device.start();
  device.ask();
  device.end(Errc::device_revoked);
  CHECK(device.says() == "sync_now person_asked");
  device.sync(Errc::connection_lost);
  CHECK(device.says() == "wait 5000 backing_off");
}

TEST_CASE("What may go away by itself is tried again", "[scheduler]") {
  for (const ErrcEntry& entry : all_errors()) {
    if (!entry.retry || entry.code == Errc::cancelled || entry.code == Errc::in_use) continue;
    INFO(entry.name);
    Scheduled device(Connectivity::metered);
    device.sync(entry.code);
    CHECK(device.says() == "wait 5000 backing_off");
  }
}

TEST_CASE("Where another server answers, another network is tried", "[scheduler]") {
  Scheduled device(Connectivity::unmetered);
  device.sync(Errc::server_untrusted);
  device.tell(Connectivity::none);
  CHECK(device.says() == "wait needs_person");
  device.tell(Connectivity::metered);
  CHECK(device.says() == "sync_now retrying");
}

TEST_CASE("What a failed sync was to send is sent by the next one that may", "[scheduler]") {
  Scheduled device = synced(Connectivity::metered);
  device.save();
  device.after(5 * second);
  device.sync(Errc::connection_lost);
  device.tell(Connectivity::none);
  device.tell(Connectivity::metered);
  CHECK(device.says() == "sync_now retrying");
  device.start();
  device.scheduler.paused();
  device.end(Errc::cancelled);
  device.scheduler.resumed();
  CHECK(device.says() == "sync_now retrying");
  device.sync();
  CHECK(device.says() == "wait 1800000 up_to_date");
}

TEST_CASE("A pause holds everything back, also what the person asks for, until it is resumed", "[scheduler]") {
  Scheduled device(Connectivity::unmetered);
  device.scheduler.paused();
  device.save();
  device.ask();
  device.after(60 * minute);
  device.tell(Connectivity::metered);
  CHECK(device.says() == "wait paused");
  CHECK_FALSE(device.decide().text);
  CHECK(device.decide().attachments == nothing);
  device.scheduler.resumed();
  CHECK(device.says() == "sync_now person_asked");
}

TEST_CASE("A pause stops the sync that runs; that is no failure, and goes on when resumed", "[scheduler]") {
  Scheduled device(Connectivity::unmetered);
  device.ask();
  device.start();
  CHECK_FALSE(device.scheduler.should_stop());
  device.scheduler.paused();
  CHECK(device.scheduler.should_stop());
  CHECK(device.says() == "wait paused");
  device.scheduler.resumed();
  CHECK(device.scheduler.should_stop());
  device.end(Errc::cancelled);
  CHECK_FALSE(device.scheduler.should_stop());
  CHECK(device.says() == "sync_now person_asked");
}

TEST_CASE("A sync that carries what may no longer travel stops, and goes on with what may", "[scheduler]") {
  Scheduled device(Connectivity::unmetered);
  device.start();
  device.conditions.foreground = false;
  device.tell();
  CHECK_FALSE(device.scheduler.should_stop());
  device.tell(Connectivity::metered);
  CHECK(device.scheduler.should_stop());
  device.end(Errc::cancelled);
  CHECK(device.says() == "sync_now poll");
  CHECK(device.decide().attachments == AttachmentLimits{true, false, false, 20'000'000});
  device.start();
  device.tell(Connectivity::unmetered);
  CHECK_FALSE(device.scheduler.should_stop());
}

TEST_CASE("After a sync that a person cancelled, or beside another one, it rests a minute", "[scheduler]") {
  for (const Errc code : {Errc::cancelled, Errc::in_use}) {
    Scheduled device(Connectivity::unmetered);
    for (int i = 0; i < 3; ++i) {
      device.sync(code);
      CHECK(device.says() == "wait 60000 resting");
      device.after(minute);
      CHECK(device.says() == "sync_now retrying");
    }
  }
}

TEST_CASE("A locked store is left alone until it is unlocked, used or asked for", "[scheduler]") {
  Scheduled device(Connectivity::unmetered);
  const auto locks = [&] {
    device.sync(Errc::locked);
    device.after(60 * minute);
    device.tell(Connectivity::metered);
    device.tell(Connectivity::unmetered);
    CHECK(device.says() == "wait locked");
    CHECK(device.decide().attachments == nothing);
  };
  locks();
  device.scheduler.unlocked();
  CHECK(device.says() == "sync_now poll");
  locks();
  device.save();
  CHECK(device.says() == "sync_now poll");
  locks();
  device.ask();
  CHECK(device.says() == "sync_now person_asked");
  locks();
  device.scheduler.unlocked();
  CHECK(device.says() == "sync_now person_asked");
}

TEST_CASE("What a person allows beyond the policy stands until a sync has succeeded", "[scheduler]") {
  Scheduled device(Connectivity::metered);
  device.conditions.battery_percent = 5;
  device.tell();
  device.ask({.all_attachments = true});
  CHECK(device.decide().attachments == AttachmentLimits{true, true, true, 20'000'000});
  device.sync(Errc::connection_lost);
  CHECK(device.decide().attachments == AttachmentLimits{true, true, true, 20'000'000});
  device.after(5 * second);
  device.sync({}, 20'000'000);
  CHECK(device.decide().attachments == nothing);
  device.ask({.all_attachments = true});
  CHECK(device.decide().attachments == nothing);
  device.ask({.beyond_budget = true});
  CHECK(device.decide().attachments == everything);
  device.start();
  device.ask({.all_attachments = true, .beyond_budget = true});
  device.end();
  CHECK(device.says() == "sync_now person_asked");
  CHECK(device.decide().attachments == everything);
  device.sync();
  CHECK(device.decide().attachments == nothing);
}

TEST_CASE("Time that goes back stands still, and time that jumps forward ends waits", "[scheduler]") {
  Scheduled device = synced(Connectivity::unmetered);
  device.after(10 * second);
  CHECK(device.says() == "wait 50000 up_to_date");
  device.after(-500 * second);
  CHECK(device.says() == "wait 50000 up_to_date");
  device.after(40 * second);
  CHECK(device.says() == "wait 10000 up_to_date");
  device.after(365 * 24 * 60 * minute);
  CHECK(device.says() == "sync_now poll");
  device.sync();
  device.after(-365 * 24 * 60 * minute);
  CHECK(device.says() == "wait 60000 up_to_date");
  device.after(minute);
  CHECK(device.says() == "sync_now poll");
}

TEST_CASE("A policy is refused with the name of what is wrong in it", "[scheduler]") {
  CHECK(check(SchedulePolicy{}));
  const auto refused = [](auto member, auto value) {
    SchedulePolicy policy;
    policy.*member = value;
    const auto sound = check(policy);
    REQUIRE_FALSE(sound);
    CHECK(sound.error().code == Errc::invalid_argument);
    return sound.error().message();
  };
  CHECK(refused(&SchedulePolicy::poll_metered_ms, 0) == "poll_metered_ms must be from 1 ms to 366 days.");
  CHECK(refused(&SchedulePolicy::rest_ms, INT64_MAX) == "rest_ms must be from 1 ms to 366 days.");
  CHECK(refused(&SchedulePolicy::quiet_ms, 60'001) == "quiet_ms must not be more than quiet_ms_max.");
  CHECK(refused(&SchedulePolicy::backoff_ms_first, 1'800'001).starts_with("backoff_ms_first and"));
  CHECK(refused(&SchedulePolicy::low_battery_percent, 101) == "low_battery_percent must be from 0 to 100.");
}

TEST_CASE("Every reason has a stable name and a sentence", "[scheduler]") {
  for (int i = 0; i <= static_cast<int>(Reason::poll); ++i) {
    const ReasonEntry& entry = describe(static_cast<Reason>(i));
    CHECK(entry.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    CHECK(entry.sentence.ends_with('.'));
  }
}
