// schedule_script.h: what happens to a device on an invented day, as lines of JSON:
//
//   {"at": "08:00", "connectivity": "metered", "battery": 80}
//   {"at": "08:05", "saves": 3}
//   {"at": "09:00", "sync": "fails", "code": "connection_lost"}
//
// Times do not go back. `fieldsync schedule --help` has every name.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "fieldsync/sync_scheduler.h"

namespace fieldsync::cli {

// What one line says.
struct ScriptEvent {
  std::int64_t at_ms = 0;  // since the first day's midnight
  std::optional<Connectivity> connectivity{};
  std::optional<std::uint64_t> network{};
  std::optional<std::optional<int>> battery_percent{};  // null: not known
  std::optional<bool> charging{}, foreground{}, pause{}, lock{};
  std::uint64_t saves = 0;
  std::optional<PersonRequest> asks{};
  // From there on: how syncs end, how long each takes, and what its text costs.
  std::optional<std::optional<Errc>> sync{};
  std::optional<std::int64_t> seconds{};
  std::optional<std::uint64_t> text_bytes{};
  std::uint64_t photo_bytes = 0;  // that wait from there on, besides those that wait already

  // As a person reads it: "metered, battery 80 %".
  [[nodiscard]] std::string text() const;
};

inline constexpr std::size_t script_lines_max = 10'000;
inline constexpr std::int64_t script_days_max = 31;

// invalid_argument: "Line 3: ...". storage_failed where the file cannot be read.
[[nodiscard]] Result<std::vector<ScriptEvent>> parse_script(std::istream& lines);

// "08:00:30", and "day 2 08:00:30" from the second day on.
[[nodiscard]] std::string clock_text(std::int64_t at_ms);

// A day of a monitor, in this format.
extern const char example_day[];

}  // namespace fieldsync::cli
