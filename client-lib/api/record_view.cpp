#include "api/record_view.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/field_view.h"

namespace fieldsync {

const ShownField* RecordView::find(std::string_view field, const core::ItemId& item) const {
  const auto at = std::find_if(fields.begin(), fields.end(),
                               [&](const ShownField& shown) { return shown.name == field && shown.item == item; });
  return at == fields.end() ? nullptr : &*at;
}

namespace api {
namespace {

ShownValue shown_value(const core::RecordState& state, const core::Value& value,
                       const std::optional<core::ValueId>& from) {
  ShownValue shown;
  shown.value = value;
  if (!from) return shown;
  const core::Stamp& stamp = state.stamp_of(from->operation);
  shown.author = stamp.author;
  shown.claimed = stamp.claimed;
  shown.effective = stamp.effective;
  shown.unsent = stamp.seq == 0;
  return shown;
}

// The place of each item in its group: the text of its group field, ties by id.
std::map<core::ItemId, std::string> item_places(const core::RecordState& state, const core::Form* form) {
  std::map<core::ItemId, std::string> places;
  for (const core::FieldState& field : state.fields) {
    const core::FormField* description = form == nullptr ? nullptr : form->find(field.key.field);
    if (description == nullptr || description->type != core::FieldType::group) continue;
    const core::Value& place = state.shown_order(field.key).front()->value;
    if (const auto* text = std::get_if<std::string>(&place)) places[field.key.item] = *text;
  }
  return places;
}

}  // namespace

std::string name_of(const core::FormField* description, std::uint32_t number) {
  return description == nullptr ? "field_" + std::to_string(number) : description->name;
}

core::Instant newest_change(const core::RecordState& state) {
  core::Instant newest;
  for (const core::StampedOperation& stamped : state.stamps) newest = std::max(newest, stamped.stamp.effective);
  return newest;
}

bool is_visible(const core::RecordState& state, const core::FieldKey& key) {
  return key.field != core::existence_field && (key.item.is_none() || !state.item_hidden(key.item));
}

RecordView make_view(const core::RecordState& state, const core::Form* form) {
  RecordView view;
  view.id = state.id;
  view.scope = state.scope;
  view.form = state.form;
  view.deleted = state.hidden();
  for (const core::Sibling* deletion : state.contested_deletions()) {
    view.deleted_while_edited.push_back(state.stamp_of(deletion->id.operation).author);
  }
  view.changed = newest_change(state);
  const bool unsent = std::any_of(state.stamps.begin(), state.stamps.end(),
                                  [](const core::StampedOperation& stamped) { return stamped.stamp.seq == 0; });
  view.progress = unsent ? Progress::saved_here : Progress::sent;
  const auto places = item_places(state, form);
  for (const core::FieldState& field : state.fields) {
    if (!is_visible(state, field.key)) continue;
    const core::FormField* description = form == nullptr ? nullptr : form->find(field.key.field);
    const core::FieldView read = core::view_field(state, field.key, description);
    if (read.shown.empty()) continue;
    const bool group = description != nullptr && description->type == core::FieldType::group;
    ShownField shown{
        field.key.item, field.key.field, name_of(description, field.key.field), {}, read.conflict && !group};
    for (const core::FieldView::Shown& value : read.shown)
      shown.values.push_back(shown_value(state, value.value, value.from));
    view.fields.push_back(std::move(shown));
  }
  const auto place_of = [&](const ShownField& field) {
    const auto place = places.find(field.item);
    return place == places.end() ? std::string() : place->second;
  };
  std::stable_sort(view.fields.begin(), view.fields.end(), [&](const ShownField& left, const ShownField& right) {
    if (left.item.is_none() || right.item.is_none() || left.item == right.item) {
      return std::tie(left.item, left.number) < std::tie(right.item, right.number);
    }
    const std::string left_place = place_of(left);
    const std::string right_place = place_of(right);
    return std::tie(left_place, left.item) < std::tie(right_place, right.item);
  });
  return view;
}

std::vector<Conflict> make_conflicts(const core::RecordState& state, const core::Form* form) {
  std::vector<Conflict> conflicts;
  const auto deletions = state.contested_deletions();
  if (!deletions.empty()) {
    Conflict conflict{state.id, state.form, {}, core::existence_field, "existence", {}};
    for (const core::Sibling* deletion : deletions)
      conflict.values.push_back(shown_value(state, deletion->value, deletion->id));
    conflicts.push_back(std::move(conflict));
  }
  if (state.hidden()) return conflicts;
  for (const core::FieldKey& key : core::open_conflicts(state, form)) {
    if (!key.item.is_none() && state.item_hidden(key.item)) continue;
    const core::FormField* description = form == nullptr ? nullptr : form->find(key.field);
    Conflict conflict{state.id, state.form, key.item, key.field, name_of(description, key.field), {}};
    for (const core::FieldView::Shown& value : core::view_field(state, key, description).shown) {
      conflict.values.push_back(shown_value(state, value.value, value.from));
    }
    conflicts.push_back(std::move(conflict));
  }
  return conflicts;
}

}  // namespace api
}  // namespace fieldsync
