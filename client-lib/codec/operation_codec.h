// operation_codec.h: operations between core and wire.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/operation.h"
#include "core/result.h"

namespace fieldsync::codec {

inline constexpr std::size_t operations_per_batch_max = 500;

// The operation's own bytes, as they are stored, sent and signed. Its id and
// author are not in them.
[[nodiscard]] std::string encode_operation(const core::Operation& operation);

// `id` and `author` come from the batch and from the device's row, never from
// the bytes. Refuses what cannot be read, or could be read in two ways, with
// malformed_operation: only the canonical bytes are read (wire_reader.h). Does not
// look at text: core/validation.h does.
// `elements` is the budget of wire_scan.h, shared by all operations of a request.
[[nodiscard]] Result<core::Operation> decode_operation(std::string_view bytes, const core::OperationId& id,
                                                       const core::PersonId& author, std::size_t& elements);

// Appends one operation to the bytes of an OperationList.
void append_to_list(std::string& list, std::string_view operation);

// The operations' bytes inside `list`, without copying. Refuses more than 500.
[[nodiscard]] Result<std::vector<std::string_view>> split_list(std::string_view list);

}  // namespace fieldsync::codec
