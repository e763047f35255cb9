// rights.h: who may do what. To be asked in the transaction that does it.
#pragma once

#include "core/id.h"
#include "core/result.h"
#include "store/store.h"

namespace fieldsync::server {

// What a request is for.
enum class Access : std::uint8_t {
  full,
  hand_in,  // of a device that is revoked: its own batches, into quarantine, and its own attachments
};

// unknown_device. device_revoked: unless it hands in.
[[nodiscard]] Result<DeviceRow> enrolled_device(ReadTransaction& transaction, const core::DeviceId& id,
                                                Access access = Access::full);

// Every other member of a scope reads only.
[[nodiscard]] bool may_write(Role role);
// Who wrote what names it may bring its bytes, whatever became of their role since, and from another device.
[[nodiscard]] bool may_send(const NamedAttachment& named);
[[nodiscard]] bool may_read(const NamedAttachment& named);

}  // namespace fieldsync::server
