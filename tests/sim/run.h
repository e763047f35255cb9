// run.h: what every part of one simulated run shares.
#pragma once

#include "sim/album.h"
#include "sim/chance.h"
#include "sim/faults.h"
#include "sim/schedule.h"
#include "sim/story.h"

namespace fieldsync::sim {

// The true time at which every run begins: in November 2026.
inline constexpr std::int64_t beginning_ms = 1'795'500'000'000;

struct Run {
  explicit Run(std::uint64_t seed)
      : chance(seed),
        chances(chance, seed),
        plan(chance, chances),
        story(schedule),
        photos(Chance(~seed).fork()),
        takes_photos(photos.happens(0.6)) {}

  // Whether the fault is tried now: where it may come to nothing, who sees it strike
  // counts it.
  bool tries(FaultKind kind) { return chances.of(kind).happens(plan.probability(kind)); }
  // Whether the fault strikes now; counted.
  bool strikes(FaultKind kind) {
    const bool struck = tries(kind);
    if (struck) tally.add(kind);
    return struck;
  }

  Schedule schedule;
  Chance chance;
  FaultChances chances;
  FaultPlan plan;
  FaultTally tally;
  Story story;
  // Of what people do with attachments: in a run without any, nothing else changes.
  Chance photos;
  bool takes_photos;
  Album album;
};

}  // namespace fieldsync::sim
