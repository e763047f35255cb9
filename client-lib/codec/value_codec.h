// value_codec.h: field values between core and wire (proto/fieldsync/v1/value.proto).
#pragma once

#include <cstddef>
#include <string_view>

#include "codec/wire_writer.h"
#include "core/result.h"
#include "core/value.h"

namespace fieldsync::codec {

// As the sub-message `field` of what is being written.
void write_value(WireWriter& writer, std::uint32_t field, const core::Value& value);

// Refuses what is not one value of one kind, ids of the wrong length and unsorted
// deletions (malformed_operation). Does not look at text: core/validation.h does.
// Adds to `elements` as wire_scan.h counts.
[[nodiscard]] Result<core::Value> read_value(std::string_view bytes, std::size_t& elements);

// Whether what the value holds of text is text (core/text.h).
[[nodiscard]] bool holds_valid_text(const core::Value& value);

}  // namespace fieldsync::codec
