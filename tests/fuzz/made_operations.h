// made_operations.h: operations out of a fuzzer's bytes. Random bytes are almost
// never an operation; these are operations whose insides are random.
#pragma once

#include <vector>

#include "core/operation.h"
#include "fuzz/input.h"

namespace fieldsync::fuzz {

inline constexpr std::size_t device_count = 3;

[[nodiscard]] core::DeviceId made_device(std::uint32_t number);
[[nodiscard]] core::RecordId made_record(std::uint32_t number);

// A save of `record` with up to 6 writes of few fields and items, which replace what
// may or may not exist. `scope` and `form` are left to the caller.
[[nodiscard]] core::Operation make_operation(Input& input, const core::OperationId& id, const core::RecordId& record);

}  // namespace fieldsync::fuzz
