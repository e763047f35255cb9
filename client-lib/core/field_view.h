// field_view.h: what a person sees of a field: the siblings read by the form's
// merge policy. The siblings themselves never depend on the policy.
#pragma once

#include <optional>
#include <vector>

#include "core/form.h"
#include "core/record_state.h"

namespace fieldsync::core {

struct FieldView {
  // What to show, first the one that counts. A register shows its greatest
  // sibling first; a set its elements; max, min, any, most_restrictive and
  // counter exactly one value; per_author one for each author; append all of
  // them, oldest first. Emptied values are left out.
  struct Shown {
    Value value;
    std::optional<ValueId> from;  // nothing for a sum
  };
  std::vector<Shown> shown;
  // More than one distinct value where the policy leaves the choice to a person.
  bool conflict = false;
};

// `field` is null for a field that the form does not know: read as a register.
[[nodiscard]] FieldView view_field(const RecordState& state, const FieldKey& key, const FormField* field);

// The keys of all fields in open conflict, in order.
[[nodiscard]] std::vector<FieldKey> open_conflicts(const RecordState& state, const Form* form);

}  // namespace fieldsync::core
