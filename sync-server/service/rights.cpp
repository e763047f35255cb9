#include "service/rights.h"

namespace fieldsync::server {

Result<DeviceRow> enrolled_device(ReadTransaction& transaction, const core::DeviceId& id) {
  auto device = transaction.device_by_id(id);
  if (!device) return Error{Errc::unknown_device, {}};
  if (device->revoked) return Error{Errc::device_revoked, {}};
  return *device;
}

bool may_write(Role role) { return role == Role::monitor || role == Role::coordinator || role == Role::case_handler; }

}  // namespace fieldsync::server
