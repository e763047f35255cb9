#include "core/field_view.h"

#include <algorithm>

#include "core/check.h"

namespace fieldsync::core {
namespace {

using Order = std::vector<const Sibling*>;

bool is_empty(const Value& value) { return std::holds_alternative<Empty>(value); }

bool holds_several_values(std::span<const Sibling> siblings) {
  return std::any_of(siblings.begin(), siblings.end(),
                     [&](const Sibling& sibling) { return sibling.value != siblings.front().value; });
}

FieldView view_register(const Order& order, bool conflict) {
  FieldView view;
  view.conflict = conflict;
  for (const Sibling* sibling : order) {
    const bool repeated = std::any_of(view.shown.begin(), view.shown.end(),
                                      [&](const FieldView::Shown& shown) { return shown.value == sibling->value; });
    const bool only_empty = is_empty(sibling->value) && !conflict;
    if (!repeated && !only_empty) view.shown.push_back({sibling->value, sibling->id});
  }
  return view;
}

FieldView view_set(std::span<const Sibling> siblings) {
  FieldView view;
  for (const Sibling& sibling : siblings) {
    if (!is_empty(sibling.value)) view.shown.push_back({sibling.value, sibling.id});
  }
  const auto by_value = [](const FieldView::Shown& left, const FieldView::Shown& right) {
    return left.value < right.value;
  };
  const auto same = [](const FieldView::Shown& left, const FieldView::Shown& right) {
    return left.value == right.value;
  };
  std::stable_sort(view.shown.begin(), view.shown.end(), by_value);
  view.shown.erase(std::unique(view.shown.begin(), view.shown.end(), same), view.shown.end());
  return view;
}

// Less by what the policy compares: a choice by its place in the form.
bool ranks_below(const Value& left, const Value& right, const FormField& field) {
  const auto* left_choice = std::get_if<Choice>(&left);
  const auto* right_choice = std::get_if<Choice>(&right);
  if (left_choice == nullptr || right_choice == nullptr) return left < right;
  const auto rank = [&](const Choice& choice) { return field.rank_of(choice.code).value_or(field.choices.size()); };
  if (rank(*left_choice) != rank(*right_choice)) return rank(*left_choice) < rank(*right_choice);
  return left < right;
}

FieldView view_extreme(std::span<const Sibling> siblings, const FormField& field, bool greatest) {
  const Sibling* best = nullptr;
  for (const Sibling& sibling : siblings) {
    if (is_empty(sibling.value)) continue;
    const bool better = best == nullptr || (greatest ? ranks_below(best->value, sibling.value, field)
                                                     : ranks_below(sibling.value, best->value, field));
    if (better) best = &sibling;
  }
  FieldView view;
  if (best != nullptr) view.shown.push_back({best->value, best->id});
  return view;
}

FieldView view_counter(std::span<const Sibling> siblings) {
  std::int64_t sum = 0;
  for (const Sibling& sibling : siblings) {
    if (const auto* count = std::get_if<std::int64_t>(&sibling.value))
      sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(*count));
  }
  FieldView view;
  if (!siblings.empty()) view.shown.push_back({sum, std::nullopt});
  return view;
}

FieldView view_per_author(const Order& order, const RecordState& state) {
  FieldView view;
  std::vector<PersonId> authors;
  for (const Sibling* sibling : order) {
    const PersonId author = state.stamp_of(sibling->id.operation).author;
    if (std::find(authors.begin(), authors.end(), author) != authors.end()) continue;
    authors.push_back(author);
    if (!is_empty(sibling->value)) view.shown.push_back({sibling->value, sibling->id});
  }
  return view;
}

FieldView view_append(const Order& order) {
  FieldView view;
  for (auto at = order.rbegin(); at != order.rend(); ++at) {
    if (!is_empty((*at)->value)) view.shown.push_back({(*at)->value, (*at)->id});
  }
  return view;
}

}  // namespace

FieldView view_field(const RecordState& state, const FieldKey& key, const FormField* field) {
  const auto siblings = state.siblings(key);
  if (siblings.empty()) return {};
  const bool sealed = std::any_of(siblings.begin(), siblings.end(), [](const Sibling& sibling) {
    return std::holds_alternative<SealedValue>(sibling.value);
  });
  const MergePolicy policy = field == nullptr || sealed ? MergePolicy::keep_siblings : field->policy;
  switch (policy) {
    case MergePolicy::keep_siblings: return view_register(state.shown_order(key), holds_several_values(siblings));
    case MergePolicy::set: return view_set(siblings);
    case MergePolicy::max:
    case MergePolicy::any:
    case MergePolicy::most_restrictive: return view_extreme(siblings, *field, true);
    case MergePolicy::min: return view_extreme(siblings, *field, false);
    case MergePolicy::counter: return view_counter(siblings);
    case MergePolicy::per_author: return view_per_author(state.shown_order(key), state);
    case MergePolicy::append: return view_append(state.shown_order(key));
  }
  broken_invariant("policy", "every merge policy has a view", __FILE__, __LINE__);
}

std::vector<FieldKey> open_conflicts(const RecordState& state, const Form* form) {
  std::vector<FieldKey> keys;
  for (const FieldState& field : state.fields) {
    if (field.siblings.size() < 2 || field.key.field == existence_field) continue;
    const FormField* description = form == nullptr ? nullptr : form->find(field.key.field);
    if (description != nullptr && description->type == FieldType::group) continue;
    if (view_field(state, field.key, description).conflict) keys.push_back(field.key);
  }
  return keys;
}

}  // namespace fieldsync::core
