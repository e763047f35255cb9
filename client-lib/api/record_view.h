// record_view.h: turns a record's state into what a person sees.
#pragma once

#include "core/form.h"
#include "core/record_state.h"
#include "fieldsync/record.h"

namespace fieldsync::api {

// `form` is null where the device does not have it: every field is then shown
// as a register.
[[nodiscard]] RecordView make_view(const core::RecordState& state, const core::Form* form);
[[nodiscard]] std::vector<Conflict> make_conflicts(const core::RecordState& state, const core::Form* form);

}  // namespace fieldsync::api
