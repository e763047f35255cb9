// known_batch.h: a batch whose counters the server knows already. Mostly its reply
// was lost and it comes again; but where an older or a second copy of the device's
// store gave the same counters to other operations, those must not pass for known.
#pragma once

#include <cstdint>

#include "codec/frame.h"
#include "fieldsync/v1/sync.pb.h"
#include "store/store.h"

namespace fieldsync::server {

// How far the device's operations are those that are kept, byte for byte, whatever
// the cuts: the device's last counter, or one in the batch where the next operation
// is another. device_forked: already the batch's first one is.
// unsupported_encoding, request_too_large, malformed_request: it cannot be read.
// Pre: the batch begins at or below the device's last counter.
[[nodiscard]] Result<std::uint64_t> last_equal(ReadTransaction& transaction, const DeviceRow& device,
                                               const v1::Batch& batch, codec::FrameReader& frames);

}  // namespace fieldsync::server
