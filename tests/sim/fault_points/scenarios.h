// scenarios.h: pieces of work in which anything may fail.
//
// Every step of the team's script is one; the others are what an app or an
// administrator does beside it.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/team/script.h"

namespace fieldsync::fault_points {

// All machines' disks, with every store closed.
using DiskSet = std::array<sim::FileTree, team::machine_count>;

// One run of a scenario: act() may fail, and is then called again.
class Work {
 public:
  virtual ~Work() = default;
  virtual Result<void> act(team::Team& team) = 0;
  // What is wrong after act() succeeded; empty where all is well.
  virtual std::string verify(team::Team&) { return {}; }
};

struct Scenario {
  std::string name;
  bool starts_closed = false;  // nothing is open when the work begins
  // bad_alloc may come through: the script allocates too, as an app does, and an
  // administrator's transactions throw.
  bool may_throw = false;
  bool follows_script = true;  // the phone saves nothing else
  // SQLite's integrity check lists a page that it had no memory for among the damage.
  bool passes_for_damage = false;
  std::shared_ptr<const DiskSet> disks;
  std::function<std::unique_ptr<Work>(team::Team&)> begin;
};

[[nodiscard]] std::vector<Scenario> all_scenarios(team::Team& team, const team::Script& script);

}  // namespace fieldsync::fault_points
