// rights.h: who may do what. To be asked in the transaction that does it.
#pragma once

#include "core/id.h"
#include "core/result.h"
#include "store/store.h"

namespace fieldsync::server {

// unknown_device, device_revoked.
[[nodiscard]] Result<DeviceRow> enrolled_device(ReadTransaction& transaction, const core::DeviceId& id);

// Every other member of a scope reads only.
[[nodiscard]] bool may_write(Role role);
// Who wrote what names it may bring its bytes, whatever became of their role since.
[[nodiscard]] bool may_send(const NamedAttachment& named);
[[nodiscard]] bool may_read(const NamedAttachment& named);

}  // namespace fieldsync::server
