// record_codec.h: the canonical bytes of a record (proto/fieldsync/v1/record.proto).
//
// Equal states encode to equal bytes. The head holds ids, clocks and order; the
// body holds the values and depends on neither clock nor order of arrival.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/record_state.h"
#include "core/result.h"

namespace fieldsync::codec {

// Largest body of a record, bytes, decoded.
inline constexpr std::size_t record_body_bytes_max = 64 * 1024 * 1024;

struct EncodedRecord {
  std::string head;
  std::string body;
};

[[nodiscard]] std::string encode_head(const core::RecordState& state);
[[nodiscard]] std::string encode_body(const core::RecordState& state);
[[nodiscard]] EncodedRecord encode_record(const core::RecordState& state);

// Refuses what is not canonical (malformed_request).
[[nodiscard]] Result<core::RecordState> decode_record(std::string_view head, std::string_view body);
// The head alone: a state without fields.
[[nodiscard]] Result<core::RecordState> decode_head(std::string_view head);

// The fields with a value that was written after `cursor`, as a ChangedFields
// message, and the way back: `state` with the named fields replaced and the head
// taken from `head`.
[[nodiscard]] std::string encode_changed_fields(const core::RecordState& state, std::uint64_t cursor);
[[nodiscard]] Result<core::RecordState> apply_changed_fields(const core::RecordState& state, std::string_view head,
                                                             std::string_view changed_fields);

}  // namespace fieldsync::codec
