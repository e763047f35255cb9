// history_reply.h: what a reply says of the audit log: the newest checkpoint, why it goes
// on from the one that the device was shown last, and the receipt for what the device sent.
#pragma once

#include "fieldsync/v1/sync.pb.h"
#include "service/audit_log.h"

namespace fieldsync::server {

// Adds it to a reply that is filled otherwise. Writes only where the device's checkpoint is
// of a history that this database has lost: then the loss is put on record first, and all that
// is acknowledged is receipted anew. storage_corrupt: somebody deleted the entry that is asked for.
[[nodiscard]] Result<void> add_history(Store& store, const AuditLog& log, const core::DeviceId& device,
                                       const v1::SyncRequest& request, v1::SyncReply& reply);

}  // namespace fieldsync::server
