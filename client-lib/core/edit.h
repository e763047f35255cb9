// edit.h: turns what a person did on the screen into field writes that name what
// they replace.
//
// The base is taken when the person opens the field (open_field), not when they
// save, so that a pull during typing cannot turn a conflict into an overwrite.
#pragma once

#include <vector>

#include "core/field_view.h"
#include "core/form.h"
#include "core/record_state.h"

namespace fieldsync::core {

// Who is writing: decides whose values a per-author or counter write replaces.
struct Writer {
  DeviceId device;
  PersonId person;
};

// What was on the screen when the person opened the field.
struct FieldBase {
  FieldKey key;
  std::vector<Sibling> siblings;    // all of them, for resolve and the policies
  std::vector<ValueId> shown;       // the one shown first, with its equals
  std::vector<ValueId> own_author;  // those by the writer's person
  std::vector<ValueId> own_device;  // those by the writer's device
  std::int64_t own_count = 0;       // the device's own running sum
};

[[nodiscard]] FieldBase open_field(const RecordState& state, const FieldKey& key, const Writer& writer);

// A plain edit. A register replaces only the sibling that was shown; max, min,
// any and most_restrictive replace everything that was seen; per_author the
// person's own; append nothing; a set adds one element; a counter adds `value`
// to the device's own running sum, see count_on().
[[nodiscard]] FieldWrite write_field(const FieldBase& base, const FormField* field, Value value);

// Settles a conflict: replaces every sibling that was on the screen.
[[nodiscard]] FieldWrite resolve_field(const FieldBase& base, Value value);

// A write of a counter over a value of `earlier`, which the server may yet refuse: it
// names also what that one named. Else the sum before it would stand again, beside the
// one that holds it. From the newest such operation to the oldest. Of more than
// named_by_count_max own values the newest are named, and the oldest: the server has it.
inline constexpr std::size_t named_by_count_max = 100;
void name_beneath(FieldWrite& write, const Operation& earlier);

// A counter's write that is not saved yet, raised by `value`, or emptied. Also where it
// settles the whole count: it still replaces what it named.
[[nodiscard]] FieldWrite count_further(FieldWrite pending, const Value& value);

// A counter's write, made over `before`, as it is to be saved over `now`: two screens of
// one device that count at once must add up. Also where it settles or empties the count.
[[nodiscard]] FieldWrite count_on(FieldWrite write, const FieldBase& before, const FieldBase& now);

// Takes one element out of a set, or one entry out of a list, wherever it was
// seen. Nothing where it was not there.
[[nodiscard]] std::optional<FieldWrite> remove_value(const FieldBase& base, const Value& value);

// Deletes the record (no item) or the item, as far as `state` was seen.
[[nodiscard]] FieldWrite delete_write(const RecordState& state, const ItemId& item);
// Brings back what was deleted; replaces every deletion that was seen.
[[nodiscard]] FieldWrite restore_write(const RecordState& state, const ItemId& item);

}  // namespace fieldsync::core
