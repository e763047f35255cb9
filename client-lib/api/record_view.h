// record_view.h: turns a record's state into what a person sees.
#pragma once

#include <cstdint>
#include <string>

#include "core/form.h"
#include "core/record_state.h"
#include "fieldsync/record.h"

namespace fieldsync::api {

// `form` is null where the device does not have it: every field is then shown
// as a register.
[[nodiscard]] RecordView make_view(const core::RecordState& state, const core::Form* form);
[[nodiscard]] std::vector<Conflict> make_conflicts(const core::RecordState& state, const core::Form* form);

// Not the record's own existence, nor what stands in an item that was deleted.
[[nodiscard]] bool is_visible(const core::RecordState& state, const core::FieldKey& key);
// `description` is null for a field that the form does not know.
[[nodiscard]] std::string name_of(const core::FormField* description, std::uint32_t number);
[[nodiscard]] core::Instant newest_change(const core::RecordState& state);

}  // namespace fieldsync::api
