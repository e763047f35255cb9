// history_check.h: whether what a reply says of the office's history goes on from what the
// device was shown before. Pure; the device asks before it takes anything of the reply.
#pragma once

#include <optional>

#include "audit/checkpoint.h"
#include "core/id.h"
#include "core/result.h"
#include "fieldsync/v1/sync.pb.h"

namespace fieldsync::audit {

// What the device holds.
struct KnownHistory {
  std::optional<codec::VerifyingKey> key;  // nothing before it learned it
  std::optional<Checkpoint> checkpoint;    // the newest that it took
};

// The batch that must stand in the history before it counts as acknowledged.
struct AwaitedReceipt {
  core::DeviceId device;
  codec::ChainPosition batch_end;
};

// The office admits that it lost what came after the device's checkpoint.
struct AdmittedLoss {
  std::uint64_t entry_number = 0;
  std::string entry;
};

// What the device is to hold from now on.
struct CheckedHistory {
  KnownHistory known;
  std::optional<AdmittedLoss> loss;
};

// history_key_changed, history_shortened, history_forked, receipt_invalid. A device that knows no key learns the
// reply's. An office that shows a device neither key nor checkpoint while it has none keeps no history, or hides it:
// incompatible_server, and receipt_invalid where a receipt is awaited.
[[nodiscard]] Result<CheckedHistory> check_history(const v1::SyncReply& reply, const KnownHistory& known,
                                                   const std::optional<AwaitedReceipt>& awaited);

}  // namespace fieldsync::audit
