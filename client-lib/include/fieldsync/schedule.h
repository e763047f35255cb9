// schedule.h: the words of background sync: what the scheduler is told of the device,
// the rules it goes by, and what it decides. sync_scheduler.h holds the scheduler,
// background_sync.h runs it on a thread.
//
// Units   Names end in their unit. Spans are of a steady clock that never goes back and
//         that also runs while the device sleeps (CLOCK_BOOTTIME, elapsedRealtime,
//         mach_continuous_time), where there is one. A day is that of UTC.
// Errors  Every hint is taken as it comes: none of them can make a sync impossible for
//         ever. Only a SchedulePolicy can be wrong; see check().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/errc.h"
#include "core/result.h"
#include "fieldsync/sync.h"

namespace fieldsync {

enum class Connectivity : std::uint8_t {
  none,
  metered,  // each byte costs: most mobile networks, roaming, a phone's hotspot
  unmetered,
};

// What the app knows of the device. Android: NetworkCallback and NET_CAPABILITY_NOT_METERED;
// Apple: NWPathMonitor and isExpensive or isConstrained.
struct Conditions {
  Connectivity connectivity = Connectivity::none;
  // Which network it is: any number that is another one after a change, also from one
  // Wi-Fi to the next (Android's network handle, or a count of the changes).
  std::uint64_t network = 0;
  std::optional<int> battery_percent{};  // 0 to 100; none where it is not known
  bool charging = false;
  bool foreground = false;  // the person has the app on the screen
};

// What decides. The defaults are for a phone with a small data plan.
struct SchedulePolicy {
  // Below it, and not charging, only text travels.
  int low_battery_percent = 20;
  // Text travels with any connection. Everything does where bytes cost nothing.
  bool previews_on_metered = true;
  bool audio_on_metered = false;
  bool photos_on_metered = false;
  // How much a UTC day may cost. Text counts and is never held back; what is left of the
  // budget is for attachments. Bytes over unmetered networks do not count.
  std::uint64_t metered_bytes_per_day = 20'000'000;
  // A sync follows a save when nothing was saved for so long, so that a person who types
  // causes one and not a hundred; and so long after the first save that waits at the latest.
  std::int64_t quiet_ms = 5'000;
  std::int64_t quiet_ms_max = 60'000;
  // How often to ask for what others changed. On a metered network the last one counts,
  // whether the app is on the screen or not.
  std::int64_t poll_foreground_ms = 60'000;
  std::int64_t poll_background_ms = 15 * 60'000;
  std::int64_t poll_metered_ms = 30 * 60'000;
  // After the n-th failure in a row the wait is anything up to first * 2^(n-1), at most max:
  // "full jitter" of M. Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog,
  // 2015), so that devices that lost one server do not come back together.
  std::int64_t backoff_ms_first = 5'000;
  std::int64_t backoff_ms_max = 30 * 60'000;
  // ... but not less than this: chance may say 0 several times.
  std::int64_t backoff_ms_least = 1'000;
  // After a sync that somebody cancelled, or that found another one running.
  std::int64_t rest_ms = 60'000;
};

// invalid_argument, with the member's name: a wait below 1 ms or above 366 days, a first
// wait that is longer than the longest, a percentage outside 0 to 100.
[[nodiscard]] Result<void> check(const SchedulePolicy& policy);

// Why. The names (describe()) are stable; an app shows the sentence, or its own.
enum class Reason : std::uint8_t {
  // wait
  paused,
  syncing,
  locked,
  needs_person,
  no_connection,
  backing_off,
  resting,
  quiet_time,
  up_to_date,
  // sync_now
  person_asked,
  saved,
  retrying,
  more_allowed,
  poll,
};

struct ReasonEntry {
  Reason reason;
  std::string_view name;
  std::string_view sentence;
};

[[nodiscard]] const ReasonEntry& describe(Reason reason);

struct Decision {
  enum class What : std::uint8_t { wait, sync_now };
  static constexpr std::int64_t never_ms = INT64_MAX;

  What what = What::wait;
  // wait: ask again then at the latest, and after each event. `never_ms`: only an event
  // changes anything.
  std::int64_t until_ms = never_ms;
  // What may travel now. Where text may not, nothing may.
  bool text = false;
  AttachmentLimits attachments{false, false, false, 0};
  Reason reason = Reason::no_connection;
  // Of the last sync: needs_person, backing_off, resting, retrying.
  std::optional<Errc> error{};

  bool operator==(const Decision&) const = default;
  // The reason's sentence and the error's.
  [[nodiscard]] std::string message() const;
};

// Bytes that one UTC day has cost so far: days since 1970-01-01.
struct MeteredDay {
  std::int64_t utc_day = 0;
  std::uint64_t bytes = 0;
  bool operator==(const MeteredDay&) const = default;
};

}  // namespace fieldsync
