// validation.h: whether an operation may be applied. The same checks run on the
// device before it saves and on the server before it applies.
#pragma once

#include <cstddef>

#include "core/form.h"
#include "core/operation.h"
#include "core/result.h"

namespace fieldsync::core {

inline constexpr std::size_t text_bytes_max = 65536;
inline constexpr std::size_t writes_per_operation_max = 1000;
// Over all writes of one operation.
inline constexpr std::size_t replaces_per_operation_max = 3000;
// As encoded; a larger one would not fit a request.
inline constexpr std::size_t operation_bytes_max = 1024 * 1024;

// Fields that the form does not know pass: a newer device may have written
// them, and they are stored and relayed untouched.
[[nodiscard]] Result<void> check_operation(const Operation& operation, const Form& form);

// Whether a field that must be sealed is written in the clear: such an operation
// may be kept nowhere.
[[nodiscard]] bool holds_open_secret(const Operation& operation, const Form& form);

// One value against its field. `field` is null for a field that the form does not know.
[[nodiscard]] Result<void> check_value(const Value& value, const FormField* field);

}  // namespace fieldsync::core
