#include "trial.h"

#include <sqlite3.h>

#include <array>
#include <exception>
#include <new>
#include <stdexcept>

#include "core/errc.h"
#include "sim/team/store_state.h"
#include "sim/team/whole_work.h"

namespace fieldsync::fault_points {
namespace {

using team::Who;

// A number that two runs without a fault do not share is chance's: ids and hashes.
constexpr int runs_to_learn = 3;

// To add to a repeated field, protobuf 3.21 makes the element first and then room for
// its pointer; where that room is refused, nobody holds the element.
bool is_lost_by_protobuf(const Point& point) {
  return point.what == What::allocation && testing::failed_inside("RepeatedPtrFieldBase14InternalExtend");
}

constexpr std::array<Who, team::machine_count> everybody{Who::office, Who::phone, Who::tablet};

// What a call may say where it met the fault. Without memory nobody speaks of the
// disk, and without a disk nobody of damage. An office without memory answers as to
// any exception, or not at all.
bool may_say(const Scenario& scenario, const Point& point, bool office_threw, Errc code) {
  if (point.what == What::allocation) {
    if (scenario.passes_for_damage && code == Errc::storage_corrupt) return true;
    if (office_threw && (code == Errc::internal_error || code == Errc::connection_lost)) return true;
    return code == Errc::out_of_memory;
  }
  // What fails behind an answer's head breaks the connection.
  if (office_threw && code == Errc::connection_lost) return true;
  return code == Errc::storage_failed || code == Errc::storage_full;
}

}  // namespace

Trial::Trial(team::Team& team, const team::Script& script) : team_(team), script_(script) {
  // A machine makes room for its first fault once, and keeps it.
  for (const Who who : everybody) {
    team_.machine(who).inject({sim::Fault::Effect::io_error_once, sim::Among::everything, 1});
    team_.machine(who).clear_faults();
  }
}

void Trial::set_up(const Scenario& scenario) {
  team_.close_all();
  for (const Who who : everybody) team_.machine(who).restore((*scenario.disks)[static_cast<std::size_t>(who)]);
  if (scenario.starts_closed) return;
  if (auto opened = script_.steps().front().run(team_, team::Run::again); !opened) {
    throw std::runtime_error(scenario.name + " cannot begin: " + opened.error().message());
  }
}

void Trial::arm(const Point& point) {
  if (point.what == What::allocation) {
    testing::start_allocation_faults(point.nth, point.lasting);
    return;
  }
  const auto effect = point.lasting == testing::Lasting::once ? sim::Fault::Effect::io_error_once
                                                              : sim::Fault::Effect::io_error_for_ever;
  failures_before_ = team_.machine(point.who).fault_counts().io_errors;
  if (point.nth > 0) team_.machine(point.who).inject({effect, sim::Among::everything, point.nth});
}

void Trial::disarm(const Point& point) {
  const std::uint64_t allocations = testing::stop_allocation_faults();
  struck_ = point.what == What::allocation ? allocations >= point.nth
                                           : team_.machine(point.who).fault_counts().io_errors > failures_before_;
  for (const Who who : everybody) team_.machine(who).clear_faults();
}

std::uint64_t Trial::count(const Scenario& scenario, What what, Who who) {
  set_up(scenario);
  const auto work = scenario.begin(team_);
  const std::uint64_t operations_before = team_.machine(who).count(sim::Among::everything);
  arm({what, testing::Lasting::once, who, 0});
  const auto done = work->act(team_);
  const std::uint64_t allocations = testing::stop_allocation_faults();
  const std::uint64_t operations = team_.machine(who).count(sim::Among::everything) - operations_before;
  if (!done) throw std::runtime_error(scenario.name + " fails without a fault: " + done.error().message());
  // What is made once and kept for good is made here.
  team_.close_all();
  if (std::string wrong = damage(scenario); !wrong.empty()) throw std::runtime_error(scenario.name + ": " + wrong);
  return what == What::allocation ? allocations : operations;
}

std::string Trial::meet(const Scenario& scenario, Work& work, const Point& point) {
  team_.office_threw = false;
  std::string wrong;
  arm(point);
  try {
    const auto met = work.act(team_);
    disarm(point);
    if (met) {
      at_success_ = snapshot();
    } else if (!may_say(scenario, point, team_.office_threw, met.error().code)) {
      wrong = "it says " + std::string(describe(met.error().code).name) + ": " + met.error().message();
    }
  } catch (const std::bad_alloc&) {
    disarm(point);
    const bool may = scenario.may_throw && point.what == What::allocation;
    if (!may) return "bad_alloc came through";
  } catch (const std::exception& exception) {
    disarm(point);
    return std::string("an exception came through: ") + exception.what();
  }
  if (!wrong.empty()) return wrong;
  auto again = work.act(team_);
  if (!again) return "it fails when it is tried again: " + again.error().message();
  return work.verify(team_);
}

std::string Trial::damage(const Scenario& scenario) {
  for (const Who who : everybody) {
    if (team_.machine(who).files().names().empty()) continue;
    const std::string damaged = team::look_at(team_, who).damage;
    if (!damaged.empty()) return damaged;
    const std::string half = team::half_done(team_, who);
    if (!half.empty()) return half;
  }
  if (!scenario.follows_script) return {};
  const std::string missing = team::missing_work(team_, Who::phone, script_);
  return missing.empty() ? team::missing_work(team_, Who::tablet, script_) : missing;
}

DiskSet Trial::snapshot() {
  return {team_.office_machine.files().copied(), team_.phone_machine.files().copied(),
          team_.tablet_machine.files().copied()};
}

team::Outline Trial::outline_of(const DiskSet& disks) {
  put_away();
  team::Outline all;
  for (const Who who : everybody) {
    team_.machine(who).restore(disks[static_cast<std::size_t>(who)]);
    if (!team_.machine(who).files().names().empty()) all.merge(team::outline_of(team_, who));
  }
  return all;
}

void Trial::learn(const Scenario& scenario) {
  expected_.clear();
  for (int run = 0; run < runs_to_learn; ++run) {
    set_up(scenario);
    const auto work = scenario.begin(team_);
    if (auto done = work->act(team_); !done)
      throw std::runtime_error(scenario.name + " fails without a fault: " + done.error().message());
    const team::Outline outline = outline_of(snapshot());
    if (run == 0) expected_ = outline;
    std::erase_if(expected_, [&](const auto& entry) {
      const auto other = outline.find(entry.first);
      return other == outline.end() || other->second != entry.second;
    });
  }
}

std::string Trial::difference(const DiskSet& disks) {
  const team::Outline found = outline_of(disks);
  for (const auto& [name, number] : expected_) {
    // A batch's stamps come with its receipt or with the records, as the first try left it.
    if (!at_success_ && name.find("batch_stamps") != std::string::npos) continue;
    const auto at = found.find(name);
    const std::int64_t now = at == found.end() ? 0 : at->second;
    if (now != number) return name + " is " + std::to_string(now) + " instead of " + std::to_string(number);
  }
  return {};
}

void Trial::put_away() {
  team_.close_all();
  for (const Who who : everybody) team_.machine(who).restore({});
}

std::string Trial::run(const Scenario& scenario, const Point& point) {
  put_away();
  const auto sqlite_before = sqlite3_memory_used();
  const std::int64_t held_before = testing::allocations_held();
  set_up(scenario);
  at_success_.reset();
  std::string wrong;
  DiskSet at_end;
  {
    const auto work = scenario.begin(team_);
    wrong = meet(scenario, *work, point);
    at_end = snapshot();
  }
  team_.close_all();
  if (wrong.empty()) wrong = damage(scenario);
  if (wrong.empty() && at_success_) {
    if (wrong = difference(*at_success_); !wrong.empty()) wrong = "it said that it was done, and " + wrong;
  }
  if (wrong.empty() && !at_success_) {
    if (wrong = difference(at_end); !wrong.empty()) wrong = "tried again, " + wrong;
  }
  at_success_.reset();
  at_end = {};
  put_away();
  if (!wrong.empty()) return wrong;
  if (sqlite3_memory_used() != sqlite_before) return "SQLite keeps memory that nobody uses";
  const std::int64_t leaked = testing::allocations_held() - held_before;
  if (leaked == 1 && is_lost_by_protobuf(point)) return {};
  return leaked > 0 ? std::to_string(leaked) + " allocations are never given back" : std::string();
}

}  // namespace fieldsync::fault_points
