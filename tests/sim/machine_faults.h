// machine_faults.h: sets faults on one machine's disk, one at a time, and notices
// when they struck.
//
// One of them is a story: a sync fails, and what it let go of stays to be read; the
// program is started anew and goes on; soon the power goes.
#pragma once

#include <optional>
#include <string>

#include "sim/disk/machine.h"
#include "sim/run.h"

namespace fieldsync::sim {

enum class Side : std::uint8_t { device, server };

class MachineFaults {
 public:
  MachineFaults(Run& run, Machine& machine, Side side, std::string name)
      : run_(run), machine_(machine), side_(side), name_(std::move(name)) {}

  // Sets one of the faults that the seed chose, perhaps.
  void maybe_arm();
  // Begins the story of the failed sync, perhaps.
  void maybe_fail_sync();
  // Whether a sync failed since, so that the program is to be started anew.
  [[nodiscard]] bool take_restart();
  // The program was started, and its disk works: where a failed sync was the cause, the
  // power goes soon.
  void note_start();
  // Call it after the machine worked: counts what struck.
  void notice();
  // Somebody made room, or changed the disk.
  void repair();
  // As repair(), before the power comes back.
  void power_on();
  // How often an operation of the disk has failed so far.
  [[nodiscard]] std::uint64_t failures() const;
  [[nodiscard]] bool armed() const { return armed_.has_value(); }

 private:
  // Where the story of the failed sync stands.
  enum class FailedSync : std::uint8_t { none, to_fail, failed, restarts, to_lose_power };

  void arm(FaultKind kind);
  [[nodiscard]] bool has_struck(FaultKind kind, const FaultCounts& now) const;
  [[nodiscard]] FaultKind story_kind() const;
  void inject_among_syncs(Fault::Effect effect);
  void go_on_with_story();
  void tell_struck(FaultKind kind);

  Run& run_;
  Machine& machine_;
  Side side_;
  std::string name_;
  std::optional<FaultKind> armed_;
  FailedSync failed_sync_ = FailedSync::none;
  FaultCounts noticed_;
};

}  // namespace fieldsync::sim
