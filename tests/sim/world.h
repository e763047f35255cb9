// world.h: one simulated run: an office, its devices and people, some days in
// which everything goes wrong, and a minute in which everything works again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/faults.h"

namespace fieldsync::sim {

struct RunResult {
  std::uint64_t seed = 0;
  std::optional<std::string> broken;  // which promise, in words
  std::vector<std::string> story;
  std::uint64_t hash = 0;  // of the story, and of what every disk holds at the end
  FaultTally tally;
  std::uint64_t operations = 0;
  std::int64_t healed_after_ms = 0;  // until nothing was left to do
};

[[nodiscard]] RunResult run_seed(std::uint64_t seed);

}  // namespace fieldsync::sim
