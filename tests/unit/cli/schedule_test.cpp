// `fieldsync schedule`: what its script may say, and what it prints. The scheduler's own rules
// are tested in tests/unit/engine/sync_scheduler_test.cpp.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <iostream>
#include <sstream>

#include "fieldsync/command_line.h"
#include "fieldsync/schedule_simulation.h"

using namespace fieldsync;
using namespace fieldsync::cli;

namespace {

Result<std::vector<ScriptEvent>> parse(const std::string& text) {
  std::istringstream lines(text);
  return parse_script(lines);
}

std::vector<ScriptEvent> script(const std::string& text) {
  auto events = parse(text);
  INFO((events ? "" : events.error().message()));
  REQUIRE(events);
  return *events;
}

// Why the script is refused.
std::string refusal(const std::string& text) {
  const auto events = parse(text);
  REQUIRE_FALSE(events);
  CHECK(events.error().code == Errc::invalid_argument);
  return events.error().message();
}

// "08:00:00 metered network: sync_now poll"
std::vector<std::string> story(const std::string& text) {
  std::vector<std::string> lines;
  for (const SimulatedStep& step : without_repeated_polls(simulate(script(text)))) {
    const Decision& decision = step.decision;
    const std::string what = decision.what == Decision::What::sync_now ? "sync_now"
                             : decision.until_ms == Decision::never_ms ? "wait"
                                                                       : "wait " + clock_text(decision.until_ms);
    lines.push_back(clock_text(step.at_ms) + " " + step.what + ": " + what + " " +
                    std::string(describe(decision.reason).name));
  }
  return lines;
}

class Captured {
 public:
  Captured() : before_(std::cout.rdbuf(text_.rdbuf())) {}
  ~Captured() { std::cout.rdbuf(before_); }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  [[nodiscard]] std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::streambuf* before_;
};

std::string printed(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "fieldsync");
  const Captured captured;
  const Invocation invocation = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
  if (invocation.run) {
    const auto done = invocation.run(invocation.settings);
    INFO((done ? "" : done.error().message()));
    REQUIRE(done);
  }
  return captured.text();
}

}  // namespace

TEST_CASE("a script's line says when, and what happens then", "[cli][schedule]") {
  const auto events = script(
      "{\"at\": \"08:00\", \"connectivity\": \"metered\", \"network\": 7, \"battery\": 80, \"charging\": true}\n"
      "\n"
      "{\"at\": \"8:00:30\", \"battery\": null, \"foreground\": true, \"saves\": 3, \"photo_bytes\": 1500000}\n"
      "{\"day\": 2, \"at\": \"00:05\", \"sync\": \"fails\", \"code\": \"overloaded\", \"seconds\": 0}\n"
      "{\"at\": \"09:00\", \"asks\": \"everything\", \"pause\": true, \"lock\": false}\n");
  REQUIRE(events.size() == 4);
  CHECK(events[0].text() == "metered network 7, battery 80 %, charging");
  CHECK(events[1].text() == "battery not known, on the screen, 3 saves, photos of 1.5 MB");
  CHECK(events[2].text() == "from now on syncs end with overloaded, each takes 0 s");
  CHECK(events[3].text() == "paused, the store is unlocked, the person asks for everything");
  CHECK(clock_text(events[1].at_ms) == "08:00:30");
  CHECK(clock_text(events[3].at_ms) == "day 2 09:00:00");
}

TEST_CASE("a script that cannot be read is refused with the line and a sentence", "[cli][schedule]") {
  const std::string first = "{\"at\": \"08:00\"}\n";
  CHECK(refusal("") == "There is no line that says anything.");
  CHECK(refusal(first + "hello") == "Line 2: It is not a JSON object such as {\"at\": \"08:00\", \"saves\": 1}.");
  CHECK(refusal(first + "\n[]").starts_with("Line 3: It is not a JSON object"));
  CHECK(refusal("{\"saves\": 1}") == "Line 1: It needs a time: \"at\": \"08:00\", or \"08:00:30\".");
  for (const char* time :
       {"24:00", "08:60", "08:00:60", "8", "08:00:", "08:00 ", "-1:00", "08:00:00:00", "morning", ""})
    CHECK(refusal(std::string("{\"at\": \"") + time + "\"}").starts_with("Line 1: It needs a time"));
  CHECK(refusal(first + "{\"at\": \"07:59\"}") ==
        "Line 2: 07:59:00 is before the line above, 08:00:00. For the next day, add \"day\": 2.");
  CHECK(refusal("{\"at\": \"08:00\", \"day\": 32}") == "Line 1: 'day' must be a whole number from 1 to 31.");
  CHECK(refusal("{\"at\": \"08:00\", \"weather\": 1}") ==
        "Line 1: There is no 'weather'. See: fieldsync schedule --help.");
  const auto with = [](const std::string& member) { return refusal("{\"at\": \"08:00\", " + member + "}").substr(8); };
  CHECK(with("\"connectivity\": \"5G\"") == "'connectivity' must be \"none\", \"metered\" or \"unmetered\".");
  CHECK(with("\"battery\": 101") == "'battery' must be a whole number from 0 to 100.");
  CHECK(with("\"battery\": 50.5") == "'battery' must be a whole number from 0 to 100.");
  CHECK(with("\"saves\": 0") == "'saves' must be a whole number from 1 to 1000.");
  CHECK(with("\"charging\": 1") == "'charging' must be true or false.");
  CHECK(with("\"asks\": true") == "'asks' must be \"sync\", \"all_attachments\" or \"everything\".");
  CHECK(with("\"sync\": \"breaks\"") == "'sync' must be \"works\" or \"fails\".");
  CHECK(with("\"sync\": \"fails\"") == "\"sync\": \"fails\" needs a 'code', for example \"connection_lost\".");
  CHECK(with("\"sync\": \"fails\", \"code\": \"rain\"") == "There is no error 'rain'.");
  CHECK(with("\"sync\": \"works\", \"code\": \"offline\"") == "A sync that works has no 'code'.");
  CHECK(with("\"code\": \"offline\"") == "'code' needs \"sync\": \"fails\".");
  CHECK(with("\"saves\": 1, \"x\": \"" + std::string(5'000, 'x') + "\"") == "It is longer than 4096 bytes.");
  std::string many;
  for (std::size_t i = 0; i <= script_lines_max; ++i) many += first;
  CHECK(refusal(many) == "There are more than 10000 lines.");
}

TEST_CASE("a simulated day tells each decision, and polls that bring nothing once", "[cli][schedule]") {
  CHECK(story("{\"at\": \"08:00\", \"connectivity\": \"unmetered\", \"foreground\": true}\n"
              "{\"at\": \"08:10\", \"saves\": 2}\n"
              "{\"at\": \"08:10:20\", \"sync\": \"fails\", \"code\": \"device_revoked\"}\n") ==
        std::vector<std::string>{
            "08:00:00 unmetered network, on the screen: sync_now poll",
            "08:00:02 synced: 4.0 kB of text: wait 08:01:02 up_to_date",
            "08:01:02 time passes: sync_now poll",
            "08:01:04 synced: 4.0 kB of text: wait 08:02:04 up_to_date",
            "08:09:20 ... and 8 times more the same: wait 08:10:20 up_to_date",
            "08:10:00 2 saves: wait 08:10:05 quiet_time",
            "08:10:05 time passes: sync_now saved",
            "08:10:07 synced: 4.0 kB of text: wait 08:11:07 up_to_date",
            "08:10:20 from now on syncs end with device_revoked: wait 08:11:07 up_to_date",
            "08:11:07 time passes: sync_now poll",
            "08:11:09 the sync ends with device_revoked: wait needs_person",
        });
}

TEST_CASE("in a simulation a pause stops the sync that runs, and photos wait for Wi-Fi", "[cli][schedule]") {
  CHECK(story("{\"at\": \"08:00\", \"connectivity\": \"metered\", \"seconds\": 60, \"photo_bytes\": 2000000}\n"
              "{\"at\": \"08:00:10\", \"pause\": true}\n"
              "{\"at\": \"08:01\", \"pause\": false, \"seconds\": 2}\n"
              "{\"at\": \"08:20\", \"connectivity\": \"unmetered\"}\n"
              "{\"at\": \"08:20:03\", \"connectivity\": \"none\"}") ==
        std::vector<std::string>{
            "08:00:00 metered network, each takes 60 s, photos of 2.0 MB: sync_now poll",
            "08:00:10 paused: wait paused",
            "08:00:10 the sync ends with cancelled: wait paused",
            "08:01:00 resumed, each takes 2 s: sync_now poll",
            "08:01:02 synced: 4.0 kB of text: wait 08:31:02 up_to_date",
            "08:20:00 unmetered network: sync_now more_allowed",
            "08:20:02 synced: 4.0 kB of text, 2.0 MB of photos: wait 08:35:02 up_to_date",
            "08:20:03 no connection: wait no_connection",
        });
}

TEST_CASE("a month of polls is simulated within bounds", "[cli][schedule]") {
  const auto steps = simulate(script(
      "{\"at\": \"00:00\", \"connectivity\": \"unmetered\", \"foreground\": true}\n{\"day\": 31, \"at\": \"23:00\"}"));
  CHECK(steps.size() > 80'000);
  CHECK(steps.size() < 100'000);
  CHECK(without_repeated_polls(steps).size() <= 10);
}

TEST_CASE("without a file an example day is printed, and with --json for a program", "[cli][schedule]") {
  const std::string table = printed({"schedule", "--simulate"});
  CHECK(table.find("Why") != std::string::npos);
  for (const char* reason : {"paused", "no_connection", "backing_off", "quiet_time", "up_to_date", "person_asked",
                             "saved", "retrying", "more_allowed", "poll", "locked"}) {
    INFO(reason);
    CHECK(table.find(std::string(" ") + reason) != std::string::npos);
  }
  const auto json = boost::json::parse(printed({"--json", "schedule", "--simulate"}));
  REQUIRE(json.as_array().size() > 50);
  const auto& first = json.as_array().front().as_object();
  CHECK(first.at("at") == "08:00:00");
  CHECK(first.at("decision") == "sync_now");
  CHECK(first.at("until").is_null());
  CHECK(first.at("allowed") == boost::json::array({"text", "previews", "audio", "photos"}));
  CHECK(first.at("reason") == "poll");
  CHECK(json.as_array()[1].as_object().at("until") == "08:01:02");
}
