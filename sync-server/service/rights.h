// rights.h: what the policy (policy.h) gives to the one who asks, as a transaction sees it. To be asked
// in the transaction that does what it allows.
#pragma once

#include <vector>

#include "core/id.h"
#include "core/result.h"
#include "service/policy.h"
#include "store/store.h"

namespace fieldsync::server {

// unknown_device. device_revoked: unless it hands in.
[[nodiscard]] Result<DeviceRow> enrolled_device(ReadTransaction& transaction, const core::DeviceId& id,
                                                Access access = Access::full);

// What of the scope its member reads.
[[nodiscard]] ReadersView view_of(const MembershipRow& membership, const core::PersonId& person);

// Whether the member may change a record that is there: it must be one that they read, or did before
// they left it. Who may not is answered as where it is another scope's.
[[nodiscard]] bool may_change(ReadTransaction& transaction, const MembershipRow& membership,
                              const core::PersonId& person, const core::RecordId& record, bool is_reference_data);

// What names this file where the device's person may know of it; see ReadTransaction::attachments_named.
[[nodiscard]] std::vector<NamedAttachment> attachments_known_to(ReadTransaction& transaction, const DeviceRow& device,
                                                                const core::AttachmentId& id);
// Who wrote what names it may bring its bytes, whatever became of their role since, and from another device.
[[nodiscard]] bool may_send(const NamedAttachment& named);
[[nodiscard]] bool may_read(const NamedAttachment& named);

}  // namespace fieldsync::server
