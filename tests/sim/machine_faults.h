// machine_faults.h: sets faults on one machine's disk, one at a time, and notices
// when they struck.
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
  // Call it after the machine worked: counts what struck.
  void notice();
  // Somebody made room, or changed the disk.
  void repair();
  // As repair(), before the power comes back.
  void power_on();
  [[nodiscard]] bool armed() const { return armed_.has_value(); }

 private:
  void arm(FaultKind kind);

  Run& run_;
  Machine& machine_;
  Side side_;
  std::string name_;
  std::optional<FaultKind> armed_;
  FaultCounts noticed_;
};

}  // namespace fieldsync::sim
