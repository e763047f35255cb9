// value_codec.h: field values between core and wire.
#pragma once

#include "core/result.h"
#include "core/value.h"
#include "fieldsync/v1/value.pb.h"

namespace fieldsync::codec {

void encode_value(const core::Value& value, v1::Value& wire);

// Refuses a value without a
// kind, ids of the wrong length and unsorted deletions (malformed_operation).
[[nodiscard]] Result<core::Value> decode_value(const v1::Value& wire);

}  // namespace fieldsync::codec
