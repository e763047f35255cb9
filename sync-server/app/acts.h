// acts.h: what administrators do is in the audit log, in the transaction that does it, and holds at once.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "app/commands.h"

namespace fieldsync::server {

inline void note_act(Administration& admin, WriteTransaction& transaction, const Act& act) {
  admin.sync.audit_log().note_act(transaction, act);
}

// As the log has an object.
template <typename IdType>
[[nodiscard]] std::string bytes_of(const IdType& id) {
  return std::string(id.view());
}

[[nodiscard]] inline bool is_member(ReadTransaction& transaction, const core::PersonId& person, std::int64_t scope) {
  const auto memberships = transaction.memberships(person);
  return std::any_of(memberships.begin(), memberships.end(),
                     [&](const MembershipRow& membership) { return membership.scope.key == scope; });
}

[[nodiscard]] inline std::vector<DeviceRow> devices_of(ReadTransaction& transaction, const core::PersonId& person) {
  auto devices = transaction.devices();
  std::erase_if(devices, [&](const DeviceRow& device) { return device.person.id != person; });
  return devices;
}

// After a right of theirs ended, for what is under way with them.
inline void end_connections_of(const Administration& admin, const std::vector<DeviceRow>& devices) {
  if (admin.running == nullptr) return;
  for (const DeviceRow& device : devices) admin.running->end_connections_of(device);
}

}  // namespace fieldsync::server
