// recording.h: every change of every disk while a script runs, in order.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "sim/disk/file_tree.h"
#include "sim/team/script.h"

namespace fieldsync::power_cut {

// One change of one machine's disk, or another disk in its place.
struct Moment {
  team::Who who;
  std::optional<sim::DiskChange> change;
  sim::FileTree other_disk;
  std::string phase;
};

struct Recording {
  std::vector<Moment> moments;
  // For each machine: after how many moments it had said "done".
  std::array<std::vector<std::size_t>, team::machine_count> acknowledged;
};

// Runs the script on new machines. Throws std::runtime_error where a step fails.
[[nodiscard]] Recording record(team::Team& team, const team::Script& script);

// The disks of all machines, as they change from moment to moment.
class Disks {
 public:
  void apply(const Moment& moment);
  [[nodiscard]] const sim::FileTree& of(team::Who who) const { return trees_[static_cast<std::size_t>(who)]; }

 private:
  std::array<sim::FileTree, team::machine_count> trees_;
};

}  // namespace fieldsync::power_cut
