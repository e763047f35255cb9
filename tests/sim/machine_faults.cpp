#include "sim/machine_faults.h"

#include <array>

namespace fieldsync::sim {
namespace {

// Far enough for a whole sync, near enough to be reached.
constexpr std::int64_t operations_ahead_max = 60;
constexpr std::int64_t syncs_ahead_max = 8;
// Each of two steps, before somebody repairs the disk.
constexpr std::int64_t story_syncs_ahead_max = 3;

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
  const bool struck = armed_ && has_struck(*armed_, now);
  run_.tally.add(FaultKind::sector_torn, now.sectors.torn - noticed_.sectors.torn);
  run_.tally.add(FaultKind::sector_lost, now.sectors.lost - noticed_.sectors.lost);
  noticed_ = now;
  if (!struck) return;
  const FaultKind kind = *armed_;
  if (kind == story_kind()) {
    go_on_with_story();
    return;
  }
  const bool lasts = kind == FaultKind::device_disk_full || kind == FaultKind::server_disk_full ||
                     kind == FaultKind::device_io_error_for_ever || kind == FaultKind::server_io_error_for_ever;
  tell_struck(kind);
  if (!lasts) armed_.reset();
}

bool MachineFaults::has_struck(FaultKind kind, const FaultCounts& now) const {
  const DiskFaults& kinds = side_ == Side::device ? on_device : on_server;
  const bool power_cut = kind == kinds.crash_at_write || kind == kinds.crash_at_sync ||
                         (kind == story_kind() && failed_sync_ == FailedSync::to_lose_power);
  if (power_cut) return now.power_cuts != noticed_.power_cuts;
  if (kind == kinds.disk_full) return now.disk_full != noticed_.disk_full;
  return now.io_errors != noticed_.io_errors;
}

std::uint64_t MachineFaults::failures() const {
  const FaultCounts& counts = machine_.fault_counts();
  return counts.io_errors + counts.disk_full + counts.power_cuts;
}

void MachineFaults::tell_struck(FaultKind kind) {
  run_.tally.add(kind);
  run_.story.tell(name_, "its disk: " + std::string(name_of(kind)));
}

FaultKind MachineFaults::story_kind() const {
  return side_ == Side::device ? FaultKind::device_restarted_after_failed_sync
                               : FaultKind::server_restarted_after_failed_sync;
}

void MachineFaults::maybe_fail_sync() {
  if (armed_ || !machine_.is_running() || !run_.chances.of(story_kind()).happens(run_.plan.probability(story_kind())))
    return;
  inject_among_syncs(Fault::Effect::io_error_once);
  failed_sync_ = FailedSync::to_fail;
}

void MachineFaults::inject_among_syncs(Fault::Effect effect) {
  const auto ahead = static_cast<std::uint64_t>(run_.chances.of(story_kind()).between(1, story_syncs_ahead_max));
  machine_.inject({effect, Among::syncs, ahead});
  armed_ = story_kind();
}

void MachineFaults::go_on_with_story() {
  if (failed_sync_ == FailedSync::to_fail) {
    run_.story.tell(name_, "its disk: a sync failed");
    failed_sync_ = FailedSync::failed;
  } else if (failed_sync_ == FailedSync::to_lose_power) {
    tell_struck(story_kind());
    failed_sync_ = FailedSync::none;
    armed_.reset();
  }
}

bool MachineFaults::take_restart() {
  if (failed_sync_ != FailedSync::failed) return false;
  failed_sync_ = FailedSync::restarts;
  armed_.reset();
  return true;
}

void MachineFaults::note_start() {
  if (failed_sync_ != FailedSync::restarts) return;
  failed_sync_ = FailedSync::none;
  if (!run_.plan.chosen(story_kind())) return;
  inject_among_syncs(Fault::Effect::power_cut);
  failed_sync_ = FailedSync::to_lose_power;
}

void MachineFaults::repair() {
  notice();
  machine_.clear_faults();
  armed_.reset();
  if (failed_sync_ != FailedSync::restarts) failed_sync_ = FailedSync::none;
}

void MachineFaults::power_on() {
  failed_sync_ = FailedSync::none;
  repair();
  machine_.start();
}

}  // namespace fieldsync::sim
