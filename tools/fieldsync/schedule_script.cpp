#include "fieldsync/schedule_script.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <cstdio>
#include <iostream>

#include "fieldsync/report.h"

namespace fieldsync::cli {
namespace {

namespace json = boost::json;

constexpr std::int64_t second_ms = 1'000;
constexpr std::int64_t day_ms = 24 * 3'600 * second_ms;
constexpr std::size_t line_bytes_max = 4'096;
constexpr std::int64_t bytes_max = 1'000'000'000'000;

Error wrong(std::string sentence) { return {Errc::invalid_argument, std::move(sentence)}; }

std::string quoted(const json::string& text) { return "'" + std::string(text) + "'"; }

// Reads the members of one line; the first that is wrong is told.
class LineReader {
 public:
  LineReader(const json::object& line, ScriptEvent& event) : line_(line), event_(event) {}

  Result<void> read() {
    for (const auto& [name, value] : line_) {
      if (auto taken = take(name, value); !taken) return taken;
    }
    if (event_.sync && *event_.sync == Errc::cancelled)
      return wrong("'cancelled' is what a pause makes of a sync; say \"pause\": true.");
    if (line_.contains("code") && !line_.contains("sync")) return wrong("'code' needs \"sync\": \"fails\".");
    return {};
  }

 private:
  Result<void> take(std::string_view name, const json::value& value) {
    if (name == "at" || name == "day") return {};
    if (name == "connectivity") return take_connectivity(value);
    if (name == "network") return number(name, value, 0, UINT32_MAX, event_.network);
    if (name == "battery") return take_battery(value);
    if (name == "charging") return yes_or_no(name, value, event_.charging);
    if (name == "foreground") return yes_or_no(name, value, event_.foreground);
    if (name == "pause") return yes_or_no(name, value, event_.pause);
    if (name == "lock") return yes_or_no(name, value, event_.lock);
    if (name == "saves") return amount(name, value, 1'000, event_.saves);
    if (name == "asks") return take_request(value);
    if (name == "sync") return take_sync(value);
    if (name == "code") return {};
    if (name == "seconds") return number(name, value, 0, 3'600, event_.seconds);
    if (name == "text_bytes") return number(name, value, 0, bytes_max, event_.text_bytes);
    if (name == "photo_bytes") return amount(name, value, bytes_max, event_.photo_bytes);
    return wrong("There is no '" + std::string(name) + "'. See: fieldsync schedule --help.");
  }

  template <typename Number>
  static Result<void> number(std::string_view name, const json::value& value, std::int64_t least, std::int64_t most,
                             std::optional<Number>& into) {
    if (!value.is_int64() || value.get_int64() < least || value.get_int64() > most) {
      return wrong("'" + std::string(name) + "' must be a whole number from " + std::to_string(least) + " to " +
                   std::to_string(most) + ".");
    }
    into = static_cast<Number>(value.get_int64());
    return {};
  }

  static Result<void> yes_or_no(std::string_view name, const json::value& value, std::optional<bool>& into) {
    if (!value.is_bool()) return wrong("'" + std::string(name) + "' must be true or false.");
    into = value.get_bool();
    return {};
  }

  Result<void> take_connectivity(const json::value& value) {
    if (value == "none") {
      event_.connectivity = Connectivity::none;
    } else if (value == "metered") {
      event_.connectivity = Connectivity::metered;
    } else if (value == "unmetered") {
      event_.connectivity = Connectivity::unmetered;
    } else {
      return wrong("'connectivity' must be \"none\", \"metered\" or \"unmetered\".");
    }
    return {};
  }

  Result<void> take_battery(const json::value& value) {
    if (value.is_null()) {
      event_.battery_percent.emplace(std::nullopt);
      return {};
    }
    std::optional<int> percent;
    if (auto taken = number("battery", value, 0, 100, percent); !taken) return taken;
    event_.battery_percent = percent;
    return {};
  }

  static Result<void> amount(std::string_view name, const json::value& value, std::int64_t most, std::uint64_t& into) {
    std::optional<std::uint64_t> taken;
    if (auto read = number(name, value, 1, most, taken); !read) return read;
    into = *taken;
    return {};
  }

  Result<void> take_request(const json::value& value) {
    if (value == "sync") {
      event_.asks = PersonRequest{};
    } else if (value == "all_attachments") {
      event_.asks = PersonRequest{true, false};
    } else if (value == "everything") {
      event_.asks = PersonRequest{true, true};
    } else {
      return wrong("'asks' must be \"sync\", \"all_attachments\" or \"everything\".");
    }
    return {};
  }

  Result<void> take_sync(const json::value& value) {
    const json::value* code = line_.if_contains("code");
    if (value == "works") {
      if (code != nullptr) return wrong("A sync that works has no 'code'.");
      event_.sync.emplace(std::nullopt);
      return {};
    }
    if (value != "fails") return wrong("'sync' must be \"works\" or \"fails\".");
    if (code == nullptr || !code->is_string())
      return wrong("\"sync\": \"fails\" needs a 'code', for example \"connection_lost\".");
    const auto error = errc_from_name(code->get_string());
    if (!error) return wrong("There is no error " + quoted(code->get_string()) + ".");
    event_.sync = error;
    return {};
  }

  const json::object& line_;
  ScriptEvent& event_;
};

std::optional<std::int64_t> parse_clock(std::string_view text) {
  int hours = 0, minutes = 0, seconds = 0, used = 0;
  const std::string copy(text);
  const bool digits =
      copy.find_first_not_of("0123456789:") == std::string::npos && copy.size() >= 4 && copy.size() <= 8;
  if (!digits) return std::nullopt;
  const bool whole = std::sscanf(copy.c_str(), "%2d:%2d:%2d%n", &hours, &minutes, &seconds, &used) == 3;
  if (!whole) {
    seconds = used = 0;
    if (std::sscanf(copy.c_str(), "%2d:%2d%n", &hours, &minutes, &used) != 2) return std::nullopt;
  }
  if (static_cast<std::size_t>(used) != copy.size() || hours > 23 || minutes > 59 || seconds > 59) return std::nullopt;
  return ((hours * 60 + minutes) * 60 + seconds) * second_ms;
}

Result<std::int64_t> parse_time(const json::object& line, std::int64_t last_ms) {
  std::int64_t day = last_ms / day_ms;
  if (const json::value* given = line.if_contains("day")) {
    if (!given->is_int64() || given->get_int64() < 1 || given->get_int64() > script_days_max)
      return wrong("'day' must be a whole number from 1 to " + std::to_string(script_days_max) + ".");
    day = given->get_int64() - 1;
  }
  const json::value* at = line.if_contains("at");
  const auto clock = at != nullptr && at->is_string() ? parse_clock(at->get_string()) : std::nullopt;
  if (!clock) return wrong("It needs a time: \"at\": \"08:00\", or \"08:00:30\".");
  const std::int64_t time = day * day_ms + *clock;
  if (time < last_ms) {
    return wrong(clock_text(time) + " is before the line above, " + clock_text(last_ms) +
                 ". For the next day, add \"day\": " + std::to_string(last_ms / day_ms + 2) + ".");
  }
  return time;
}

Result<ScriptEvent> parse_line(const std::string& line, std::int64_t last_ms) {
  if (line.size() > line_bytes_max) return wrong("It is longer than " + std::to_string(line_bytes_max) + " bytes.");
  json::error_code problem;
  const json::value parsed = json::parse(line, problem);
  if (problem || !parsed.is_object())
    return wrong("It is not a JSON object such as {\"at\": \"08:00\", \"saves\": 1}.");
  const auto time = parse_time(parsed.get_object(), last_ms);
  if (!time) return time.error();
  ScriptEvent event;
  event.at_ms = *time;
  if (auto read = LineReader(parsed.get_object(), event).read(); !read) return read.error();
  return event;
}

bool is_blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

// The standard input keeps its errors to itself and shows its stream an end.
bool failed(const std::istream& lines) { return lines.bad() || (&lines == &std::cin && std::ferror(stdin) != 0); }

const char* word(Connectivity connectivity) {
  switch (connectivity) {
    case Connectivity::none: return "no connection";
    case Connectivity::metered: return "metered network";
    case Connectivity::unmetered: return "unmetered network";
  }
  return "";
}

const char* word(const PersonRequest& request) {
  if (request.beyond_budget) return "the person asks for everything";
  return request.all_attachments ? "the person asks for all attachments" : "the person asks";
}

std::string battery_text(std::optional<int> percent) {
  return percent ? "battery " + std::to_string(*percent) + " %" : "battery not known";
}

std::string sync_text(std::optional<Errc> error) {
  if (!error) return "from now on syncs work";
  return "from now on syncs end with " + std::string(describe(*error).name);
}

}  // namespace

const char example_day[] =
    R"({"at": "08:00", "connectivity": "unmetered", "network": 1, "battery": 90, "foreground": true}
{"at": "08:20", "connectivity": "none", "foreground": false}
{"at": "09:30", "foreground": true, "saves": 1}
{"at": "09:31", "saves": 3, "photo_bytes": 6000000}
{"at": "11:00", "connectivity": "metered", "network": 2, "battery": 55}
{"at": "11:10", "saves": 1}
{"at": "11:10:03", "saves": 1}
{"at": "11:30", "sync": "fails", "code": "connection_lost"}
{"at": "11:35", "asks": "sync"}
{"at": "11:37", "connectivity": "none"}
{"at": "12:20", "sync": "works"}
{"at": "12:20:30", "connectivity": "metered", "network": 3, "battery": 18}
{"at": "13:00", "pause": true}
{"at": "13:30", "pause": false, "saves": 1}
{"at": "17:00", "connectivity": "unmetered", "network": 1, "charging": true}
{"at": "17:30", "foreground": false}
{"at": "18:00", "lock": true}
{"at": "19:00", "lock": false, "foreground": true}
)";

std::string clock_text(std::int64_t at_ms) {
  const std::int64_t seconds = at_ms % day_ms / second_ms;
  char text[48];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  const std::int64_t day = at_ms / day_ms + 1;
  return day == 1 ? text : "day " + std::to_string(day) + ' ' + text;
}

std::string ScriptEvent::text() const {
  std::string all;
  const auto add = [&](const std::string& part) { all += (all.empty() ? "" : ", ") + part; };
  if (connectivity) add(word(*connectivity) + (network ? " " + std::to_string(*network) : ""));
  if (!connectivity && network) add("network " + std::to_string(*network));
  if (battery_percent) add(battery_text(*battery_percent));
  if (charging) add(*charging ? "charging" : "not charging");
  if (foreground) add(*foreground ? "on the screen" : "off the screen");
  if (pause) add(*pause ? "paused" : "resumed");
  if (lock) add(*lock ? "the store is locked" : "the store is unlocked");
  if (saves > 0) add(counted(saves, "save", "saves"));
  if (asks) add(word(*asks));
  if (sync) add(sync_text(*sync));
  if (seconds) add("each takes " + std::to_string(*seconds) + " s");
  if (text_bytes) add("text of " + byte_count(*text_bytes));
  if (photo_bytes > 0) add("photos of " + byte_count(photo_bytes));
  return all.empty() ? "nothing" : all;
}

Result<std::vector<ScriptEvent>> parse_script(std::istream& lines) {
  std::vector<ScriptEvent> events;
  std::int64_t last_ms = 0;
  std::size_t number = 1;
  for (std::string line; std::getline(lines, line); ++number) {
    if (number > script_lines_max) return wrong("There are more than " + std::to_string(script_lines_max) + " lines.");
    if (is_blank(line)) continue;
    auto event = parse_line(line, last_ms);
    if (!event) return wrong("Line " + std::to_string(number) + ": " + event.error().message());
    last_ms = event->at_ms;
    events.push_back(std::move(*event));
  }
  if (failed(lines)) return Error{Errc::storage_failed, "The file cannot be read."};
  if (events.empty()) return wrong("There is no line that says anything.");
  return events;
}

}  // namespace fieldsync::cli
