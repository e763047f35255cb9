#include "sim/faults.h"

namespace fieldsync::sim {
namespace {

struct KindRow {
  std::string_view name;
  double most;  // greatest probability
};

// In the order of FaultKind.
constexpr std::array<KindRow, fault_kinds> rows = {{
    {"request_lost", 0.3},
    {"reply_lost", 0.3},
    {"request_cut", 0.2},
    {"reply_cut", 0.2},
    {"request_doubled", 0.3},
    {"request_overtaken", 0.2},
    {"request_delayed_days", 0.15},
    {"reply_delayed", 0.2},
    {"up_blocked", 0.3},
    {"down_blocked", 0.3},
    {"device_crash_at_write", 0.5},
    {"device_crash_at_sync", 0.5},
    {"server_crash_at_write", 0.5},
    {"server_crash_at_sync", 0.5},
    {"server_crash_idle", 0.2},
    {"sector_torn", 1},
    {"sector_lost", 1},
    {"device_disk_full", 0.3},
    {"server_disk_full", 0.2},
    {"device_io_error_once", 0.4},
    {"device_io_error_for_ever", 0.2},
    {"server_io_error_once", 0.3},
    {"server_io_error_for_ever", 0.2},
    {"device_clock_off", 1},
    {"device_clock_jump", 0.3},
    {"server_clock_jump", 0.2},
    {"device_paused", 0.3},
    {"server_paused", 0.3},
    {"form_left_open", 0.4},
    {"two_screens", 0.2},
    {"restored_hour", 0.5},
    {"restored_day", 0.5},
    {"restored_month", 0.5},
    {"second_node", 1},
    {"requests_interleaved", 0.3},
    {"device_revoked", 0.3},
    {"member_left", 0.3},
    {"form_renewed", 0.5},
    {"old_form_kept", 1},
    {"operation_poisoned", 0.1},
    {"enrolment_reply_lost", 0.5},
    {"stale_connection", 0.5},
    {"rights_given_again", 1},
    {"device_killed", 0.5},
    {"server_killed", 0.5},
    {"request_outlives_restore", 1},
    {"device_restarted_after_failed_sync", 0.9},
    {"server_restarted_after_failed_sync", 1},
    {"member_returned", 0.9},
    {"form_lost_by_restore", 1},
    {"enrolment_request_lost", 0.5},
    {"server_clock_off", 0.5},
    {"moved_to_board", 0.9},
    {"upload_cut", 0.5},
    {"download_cut", 0.5},
    {"revoked_while_away", 1},
    {"store_locked", 1},
    {"store_wiped", 0.4},
    {"refusal_put_right", 1},
    {"schedule_followed", 1},
    {"quarantine_accepted", 0.7},
    {"quarantine_returned", 0.7},
}};

}  // namespace

std::string_view name_of(FaultKind kind) { return rows[static_cast<std::size_t>(kind)].name; }

void FaultTally::add(const FaultTally& other) {
  for (std::size_t i = 0; i < fault_kinds; ++i) struck[i] += other.struck[i];
}

FaultChances::FaultChances(Chance& first, std::uint64_t seed) : first_(first) {
  for (std::size_t i = static_cast<std::size_t>(first_later); i < fault_kinds; ++i)
    later_.push_back(Chance(~seed ^ (std::uint64_t{i} << 56)).fork());
}

FaultPlan::FaultPlan(Chance& chance, FaultChances& chances) {
  // Some seeds are calm: a bug may need a long quiet run.
  const double share = chance.part();
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    Chance& from = chances.of(static_cast<FaultKind>(i));
    const bool in = from.happens(share);
    const double intensity = from.part() * from.part();
    if (in) probability_[i] = rows[i].most == 1 ? 1 : rows[i].most * (0.1 + 0.9 * intensity);
  }
}

}  // namespace fieldsync::sim
