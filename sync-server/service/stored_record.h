// stored_record.h: a record as the office has it.
#pragma once

#include "codec/frame.h"
#include "core/record_state.h"
#include "store/store.h"

namespace fieldsync::server {

// Errors: storage_corrupt where the row does not hold a record.
[[nodiscard]] Result<core::RecordState> read_record(const RecordRow& row, codec::FrameReader& reader);

}  // namespace fieldsync::server
