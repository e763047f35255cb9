// trial.h: one scenario with one fault, and what must hold after it.
#pragma once

#include <optional>
#include <string>

#include "scenarios.h"
#include "sim/team/store_state.h"
#include "support/allocation_faults.h"

namespace fieldsync::fault_points {

enum class What : std::uint8_t { allocation, file_operation };

struct Point {
  What what;
  testing::Lasting lasting;
  team::Who who;  // whose disk; of no meaning for an allocation
  std::uint64_t nth;
};

class Trial {
 public:
  // `team`'s machines are used again for each trial.
  Trial(team::Team& team, const team::Script& script);

  // How many points there are in a run without a fault.
  [[nodiscard]] std::uint64_t count(const Scenario& scenario, What what, team::Who who);
  // Before the scenario's run(): how the stores look when it has been done.
  void learn(const Scenario& scenario);
  // What went wrong; empty where the fault was met as it must be: the fault's own error
  // code, or success and everything done; then success when it is tried again, nothing
  // missing or doubled, stores sound, no memory kept.
  [[nodiscard]] std::string run(const Scenario& scenario, const Point& point);
  // Whether the last run() came to its point: chance makes some a little shorter.
  [[nodiscard]] bool has_struck() const { return struck_; }

 private:
  void set_up(const Scenario& scenario);
  void arm(const Point& point);
  void disarm(const Point& point);
  // Closes everything and empties the disks.
  void put_away();
  [[nodiscard]] std::string meet(const Scenario& scenario, Work& work, const Point& point);
  [[nodiscard]] std::string damage(const Scenario& scenario);
  // All disks as a program sees them that is started after all others were killed.
  [[nodiscard]] DiskSet snapshot();
  [[nodiscard]] team::Outline outline_of(const DiskSet& disks);
  // Where these differ from what learn() saw; empty where they do not.
  [[nodiscard]] std::string difference(const DiskSet& disks);

  team::Team& team_;
  const team::Script& script_;
  team::Outline expected_;
  bool struck_ = false;
  std::uint64_t failures_before_ = 0;  // of the disk that is to fail
  std::optional<DiskSet> at_success_;  // where the work succeeded in spite of the fault
};

}  // namespace fieldsync::fault_points
