// schedule_simulation.h: what the scheduler decides on a day that a script tells, without a
// store, a network or a clock. Waits after failures are half of their bound.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fieldsync/schedule_script.h"
#include "fieldsync/sync_scheduler.h"

namespace fieldsync::cli {

// Something happened, and this was decided.
struct SimulatedStep {
  std::int64_t at_ms = 0;
  std::string what;
  Decision decision;
};

// Ends an hour after the last event.
[[nodiscard]] std::vector<SimulatedStep> simulate(const std::vector<ScriptEvent>& events,
                                                  const SchedulePolicy& policy = {});

// For a person: of polls that bring nothing and follow one another only the first is left,
// and a step that counts the others.
[[nodiscard]] std::vector<SimulatedStep> without_repeated_polls(const std::vector<SimulatedStep>& steps);

}  // namespace fieldsync::cli
