// faults.h: what can go wrong in a simulated world, which of it a seed chose, and
// how often it struck. A profile that never hit a kind proves nothing about it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/chance.h"

namespace fieldsync::sim {

enum class FaultKind : std::uint8_t {
  request_lost,
  reply_lost,
  request_cut,
  reply_cut,
  request_doubled,
  request_overtaken,
  request_delayed_days,
  reply_delayed,
  up_blocked,
  down_blocked,
  device_crash_at_write,
  device_crash_at_sync,
  server_crash_at_write,
  server_crash_at_sync,
  server_crash_idle,
  sector_torn,
  sector_lost,
  device_disk_full,
  server_disk_full,
  device_io_error_once,
  device_io_error_for_ever,
  server_io_error_once,
  server_io_error_for_ever,
  device_clock_off,
  device_clock_jump,
  server_clock_jump,
  device_paused,
  server_paused,
  form_left_open,
  two_screens,
  restored_hour,
  restored_day,
  restored_month,
  second_node,
  requests_interleaved,
  device_revoked,
  member_left,
  form_renewed,
  old_form_kept,
  operation_poisoned,
  enrolment_reply_lost,
  stale_connection,
  rights_given_again,
  device_killed,
  server_killed,
  request_outlives_restore,
  device_restarted_after_failed_sync,
  server_restarted_after_failed_sync,
  member_returned,
  form_lost_by_restore,
  enrolment_request_lost,
  server_clock_off,
  moved_to_board,
  upload_cut,
  download_cut,
  revoked_while_away,
  store_locked,
  store_wiped,
  refusal_put_right,
  schedule_followed,
  quarantine_accepted,
  quarantine_returned,
  count_
};

inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(FaultKind::count_);

// What decides about each kind. Those that were added later have a stream each: a new
// kind, put at the end, leaves every seed what it was, but for its own strikes.
class FaultChances {
 public:
  FaultChances(Chance& first, std::uint64_t seed);

  [[nodiscard]] Chance& of(FaultKind kind) {
    return kind < first_later ? first_ : later_[static_cast<std::size_t>(kind) - static_cast<std::size_t>(first_later)];
  }

 private:
  static constexpr FaultKind first_later = FaultKind::stale_connection;

  Chance& first_;
  std::vector<Chance> later_;
};

[[nodiscard]] std::string_view name_of(FaultKind kind);

// How often each kind struck.
struct FaultTally {
  std::array<std::uint64_t, fault_kinds> struck{};

  void add(FaultKind kind, std::uint64_t times = 1) { struck[static_cast<std::size_t>(kind)] += times; }
  void add(const FaultTally& other);
};

// A seed's choice: about half of the kinds, each with a probability of its own.
class FaultPlan {
 public:
  FaultPlan(Chance& chance, FaultChances& chances);

  // How likely the fault is, each time that it could strike; 0 where the seed left it out.
  [[nodiscard]] double probability(FaultKind kind) const { return probability_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] bool chosen(FaultKind kind) const { return probability(kind) > 0; }
  void set(FaultKind kind, double probability) { probability_[static_cast<std::size_t>(kind)] = probability; }
  // From here on nothing goes wrong any more.
  void heal() { probability_.fill(0); }

 private:
  std::array<double, fault_kinds> probability_{};
};

}  // namespace fieldsync::sim
