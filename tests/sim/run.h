// run.h: what every part of one simulated run shares.
#pragma once

#include "sim/chance.h"
#include "sim/faults.h"
#include "sim/schedule.h"
#include "sim/story.h"

namespace fieldsync::sim {

// The true time at which every run begins: in November 2026.
inline constexpr std::int64_t beginning_ms = 1'795'500'000'000;

struct Run {
  explicit Run(std::uint64_t seed) : chance(seed), own_chance(~seed), plan(chance, own_chance), story(schedule) {}

  // Whether the fault strikes now; counted.
  bool strikes(FaultKind kind) {
    const bool struck = (has_own_chance(kind) ? own_chance : chance).happens(plan.probability(kind));
    if (struck) tally.add(kind);
    return struck;
  }

  Schedule schedule;
  Chance chance;
  Chance own_chance;
  FaultPlan plan;
  FaultTally tally;
  Story story;
};

}  // namespace fieldsync::sim
