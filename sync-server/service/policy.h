// policy.h: who may do what. This one table decides it; nothing in it asks a database or remembers
// an answer, so that a right that ended has ended with the next look.
//
// tests/unit/server/policy_matrix_test.cpp makes from it every cell of request, role and object,
// and tries each against the handlers.
//
// The person at the server's own machine, who gives commands, is no role: see SECURITY.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/result.h"
#include "store/store.h"

namespace fieldsync::server {

// What a member of a scope may read there.
enum class Reads : std::uint8_t {
  nothing,
  own,                 // what the reading mode `own` gives, whatever the membership says
  as_membership_says,  // all of the scope, or `own`
};

struct RolePolicy {
  Role role = Role::none;
  Reads reads = Reads::nothing;
  // Saves records of the scope that they may read, new ones too, and sends what these name.
  bool writes = false;
};

inline constexpr std::array role_policies{
    RolePolicy{Role::none, Reads::nothing, false},
    RolePolicy{Role::monitor, Reads::as_membership_says, true},
    RolePolicy{Role::coordinator, Reads::as_membership_says, true},
    RolePolicy{Role::case_handler, Reads::as_membership_says, true},
    RolePolicy{Role::board, Reads::as_membership_says, false},
    // Sees to people and devices, and needs no report for it.
    RolePolicy{Role::administrator, Reads::own, false},
};

[[nodiscard]] constexpr const RolePolicy& policy_of(Role role) { return role_policies[static_cast<std::size_t>(role)]; }

// In the mode `own`: records in which the person takes part, and reference data.
[[nodiscard]] constexpr ReadingMode reading_mode_of(Role role, ReadingMode of_membership) {
  return policy_of(role).reads == Reads::as_membership_says ? of_membership : ReadingMode::own;
}

// How the office knows the device that asks, by the key that its handshake proved.
enum class DeviceStanding : std::uint8_t { without_key, unknown, revoked, enrolled };

// What a request is for.
enum class Access : std::uint8_t {
  full,
  hand_in,  // of a device that is revoked: its own batches, into quarantine, and its own attachments
};

// What each is refused with; nothing: it is let in. To enrol, a key is enough: the code decides.
struct StandingPolicy {
  DeviceStanding standing = DeviceStanding::without_key;
  std::optional<Errc> full, hand_in, enrol;
};

inline constexpr std::array standing_policies{
    StandingPolicy{DeviceStanding::without_key, Errc::unknown_device, Errc::unknown_device, Errc::unknown_device},
    StandingPolicy{DeviceStanding::unknown, Errc::unknown_device, Errc::unknown_device, std::nullopt},
    StandingPolicy{DeviceStanding::revoked, Errc::device_revoked, std::nullopt, std::nullopt},
    StandingPolicy{DeviceStanding::enrolled, std::nullopt, std::nullopt, std::nullopt},
};

[[nodiscard]] constexpr std::optional<Errc> refusal_of(DeviceStanding standing, Access access) {
  const StandingPolicy& policy = standing_policies[static_cast<std::size_t>(standing)];
  return access == Access::full ? policy.full : policy.hand_in;
}

}  // namespace fieldsync::server
