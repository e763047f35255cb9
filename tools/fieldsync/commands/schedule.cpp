#include <unistd.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <set>
#include <sstream>

#include "fieldsync/commands.h"
#include "fieldsync/json_output.h"
#include "fieldsync/report.h"
#include "fieldsync/schedule_simulation.h"
#include "fieldsync/table.h"
#include "fieldsync/terminal.h"

namespace fieldsync::cli {
namespace {

namespace json = boost::json;

Result<std::vector<ScriptEvent>> read_script(const std::string& file) {
  if (file.empty()) {
    std::istringstream lines(example_day);
    return parse_script(lines);
  }
  if (file == "-") return parse_script(std::cin);
  std::ifstream lines(file);
  if (!lines) return Error{Errc::storage_failed, "The file " + file + " cannot be read."};
  return parse_script(lines);
}

std::vector<std::string> allowed(const Decision& decision) {
  std::vector<std::string> names;
  if (decision.text) names.push_back("text");
  if (decision.attachments.previews) names.push_back("previews");
  if (decision.attachments.audio) names.push_back("audio");
  if (decision.attachments.photos) names.push_back("photos");
  return names;
}

std::string allowed_text(const Decision& decision) {
  std::string all;
  for (const std::string& name : allowed(decision)) all += (all.empty() ? "" : ", ") + name;
  if (all.empty()) return "nothing";
  const std::uint64_t bytes = decision.attachments.bytes_max;
  return bytes == 0 || bytes == UINT64_MAX ? all : all + ", up to " + byte_count(bytes);
}

std::string decision_text(const Decision& decision) {
  if (decision.what == Decision::What::sync_now) return "sync now";
  return decision.until_ms == Decision::never_ms ? "wait" : "wait until " + clock_text(decision.until_ms);
}

json::object step_json(const SimulatedStep& step) {
  const Decision& decision = step.decision;
  json::object object{{"at", clock_text(step.at_ms)},
                      {"what", step.what},
                      {"decision", decision.what == Decision::What::sync_now ? "sync_now" : "wait"},
                      {"until", nullptr},
                      {"allowed", json::array{}},
                      {"attachment_bytes_max", nullptr},
                      {"reason", describe(decision.reason).name},
                      {"error", nullptr},
                      {"message", decision.message()}};
  if (decision.until_ms != Decision::never_ms) object["until"] = clock_text(decision.until_ms);
  for (const std::string& name : allowed(decision)) object["allowed"].as_array().emplace_back(name);
  if (decision.attachments.bytes_max != UINT64_MAX) object["attachment_bytes_max"] = decision.attachments.bytes_max;
  if (decision.error) object["error"] = describe(*decision.error).name;
  return object;
}

void print_table(const std::vector<SimulatedStep>& steps) {
  Table table({{"Time", Table::Align::left, Table::Fit::whole},
               {"What happens"},
               {"Decision", Table::Align::left, Table::Fit::whole},
               {"May travel"},
               {"Why", Table::Align::left, Table::Fit::whole}});
  std::set<Reason> reasons;
  for (const SimulatedStep& step : without_repeated_polls(steps)) {
    const Reason reason = step.decision.reason;
    table.add_row({clock_text(step.at_ms), step.what, decision_text(step.decision), allowed_text(step.decision),
                   std::string(describe(reason).name)});
    reasons.insert(reason);
  }
  std::cout << table.render(terminal_columns(STDOUT_FILENO)) << '\n';
  for (const Reason reason : reasons) {
    const ReasonEntry& entry = describe(reason);
    std::cout << std::left << std::setw(15) << entry.name << entry.sentence << '\n';
  }
  std::cout << "A wait after a failure is a matter of chance; here it is half of the longest possible one.\n";
}

}  // namespace

Result<void> run_schedule(const Settings& settings, const ScheduleOptions& options) {
  const auto events = read_script(options.simulate);
  if (!events) return events.error();
  const auto steps = simulate(*events);
  if (!settings.json) {
    print_table(steps);
    return {};
  }
  json::array array;
  for (const SimulatedStep& step : steps) array.push_back(step_json(step));
  print_json(std::cout, array);
  return {};
}

}  // namespace fieldsync::cli
