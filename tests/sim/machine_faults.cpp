#include "sim/machine_faults.h"

#include <array>

namespace fieldsync::sim {
namespace {

// Far enough for a whole sync, near enough to be reached.
constexpr std::int64_t operations_ahead_max = 60;
constexpr std::int64_t syncs_ahead_max = 8;

struct DiskFaults {
  FaultKind crash_at_write, crash_at_sync, disk_full, io_error_once, io_error_for_ever;
};

constexpr DiskFaults on_device = {FaultKind::device_crash_at_write, FaultKind::device_crash_at_sync,
                                  FaultKind::device_disk_full, FaultKind::device_io_error_once,
                                  FaultKind::device_io_error_for_ever};
constexpr DiskFaults on_server = {FaultKind::server_crash_at_write, FaultKind::server_crash_at_sync,
                                  FaultKind::server_disk_full, FaultKind::server_io_error_once,
                                  FaultKind::server_io_error_for_ever};

}  // namespace

void MachineFaults::maybe_arm() {
  if (armed_ || !machine_.is_running()) return;
  const DiskFaults& kinds = side_ == Side::device ? on_device : on_server;
  const std::array order = {kinds.crash_at_write, kinds.crash_at_sync, kinds.disk_full, kinds.io_error_once,
                            kinds.io_error_for_ever};
  for (const FaultKind kind : order) {
    if (!run_.chance.happens(run_.plan.probability(kind))) continue;
    arm(kind);
    return;
  }
}

void MachineFaults::arm(FaultKind kind) {
  const DiskFaults& kinds = side_ == Side::device ? on_device : on_server;
  const auto ahead = static_cast<std::uint64_t>(run_.chance.between(1, operations_ahead_max));
  const auto syncs_ahead = static_cast<std::uint64_t>(run_.chance.between(1, syncs_ahead_max));
  const Among among = run_.chance.happens(0.3) ? Among::everything : Among::changes;
  armed_ = kind;
  if (kind == kinds.crash_at_write) machine_.inject({Fault::Effect::power_cut, Among::writes, ahead});
  if (kind == kinds.crash_at_sync) machine_.inject({Fault::Effect::power_cut, Among::syncs, syncs_ahead});
  if (kind == kinds.io_error_once) machine_.inject({Fault::Effect::io_error_once, among, ahead});
  if (kind == kinds.io_error_for_ever) machine_.inject({Fault::Effect::io_error_for_ever, among, ahead});
  if (kind == kinds.disk_full) {
    machine_.set_capacity(machine_.files().bytes_used() + static_cast<std::size_t>(run_.chance.between(0, 40'000)));
  }
}

void MachineFaults::notice() {
  const FaultCounts& now = machine_.fault_counts();
  const bool struck = now.io_errors != noticed_.io_errors || now.disk_full != noticed_.disk_full ||
                      now.power_cuts != noticed_.power_cuts;
  run_.tally.add(FaultKind::sector_torn, now.sectors.torn - noticed_.sectors.torn);
  run_.tally.add(FaultKind::sector_lost, now.sectors.lost - noticed_.sectors.lost);
  noticed_ = now;
  if (!struck || !armed_) return;
  const FaultKind kind = *armed_;
  const bool lasts = kind == FaultKind::device_disk_full || kind == FaultKind::server_disk_full ||
                     kind == FaultKind::device_io_error_for_ever || kind == FaultKind::server_io_error_for_ever;
  run_.tally.add(kind);
  run_.story.tell(name_, "its disk: " + std::string(name_of(kind)));
  if (!lasts) armed_.reset();
}

void MachineFaults::repair() {
  notice();
  machine_.clear_faults();
  armed_.reset();
}

void MachineFaults::power_on() {
  repair();
  machine_.start();
}

}  // namespace fieldsync::sim
