#include "service/rights.h"

namespace fieldsync::server {

Result<DeviceRow> enrolled_device(ReadTransaction& transaction, const core::DeviceId& id, Access access) {
  auto device = transaction.device_by_id(id);
  if (!device) return Error{Errc::unknown_device, {}};
  if (device->revoked && access != Access::hand_in) return Error{Errc::device_revoked, {}};
  return *device;
}

bool may_write(Role role) { return role == Role::monitor || role == Role::coordinator || role == Role::case_handler; }

bool may_send(const NamedAttachment& named) { return named.is_own || may_write(named.role); }

bool may_read(const NamedAttachment& named) { return named.role != Role::none; }

}  // namespace fieldsync::server
