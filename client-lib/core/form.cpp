#include "core/form.h"

#include <algorithm>
#include <set>

namespace fieldsync::core {
namespace {

constexpr std::size_t name_bytes_max = 64;
constexpr std::uint32_t field_number_max = 65535;

Error problem(const Form& form, std::string_view what) {
  return {Errc::malformed_request, "Form '" + form.name + "': " + std::string(what)};
}

bool policy_fits(const FormField& field) {
  switch (field.policy) {
    case MergePolicy::max:
    case MergePolicy::min:
      return field.type == FieldType::integer || field.type == FieldType::number || field.type == FieldType::choice ||
             field.type == FieldType::date || field.type == FieldType::instant;
    case MergePolicy::any: return field.type == FieldType::boolean;
    case MergePolicy::most_restrictive: return field.type == FieldType::choice;
    case MergePolicy::counter: return field.type == FieldType::integer;
    case MergePolicy::set:
    case MergePolicy::append:
    case MergePolicy::per_author: return field.type != FieldType::group;
    case MergePolicy::keep_siblings: return true;
  }
  return false;
}

Result<void> check_field(const Form& form, const FormField& field) {
  const std::string label = "field '" + field.name + "' (" + std::to_string(field.number) + ")";
  if (!is_name(field.name)) return problem(form, label + " needs a name of a-z, 0-9 and _.");
  if (field.number == 0 || field.number > field_number_max)
    return problem(form, label + " needs a number from 1 to 65535.");
  if (!policy_fits(field)) return problem(form, label + ": the merge policy does not fit the type.");
  if ((field.type == FieldType::choice) == field.choices.empty()) {
    return problem(form, label + ": a choice field, and only that, lists choices.");
  }
  std::set<std::string_view> codes;
  for (const FormChoice& choice : field.choices) {
    if (!is_name(choice.code) || !codes.insert(choice.code).second) {
      return problem(form, label + ": choice '" + choice.code + "' is not a name or stands twice.");
    }
  }
  if (field.range && field.range->minimum > field.range->maximum) return problem(form, label + ": the range is empty.");
  if (field.group != 0) {
    const FormField* group = form.find(field.group);
    if (group == nullptr || group->type != FieldType::group)
      return problem(form, label + ": its group does not exist.");
    if (field.type == FieldType::group) return problem(form, label + ": a group may not stand in a group.");
  }
  return {};
}

}  // namespace

std::optional<std::size_t> FormField::rank_of(std::string_view choice) const {
  for (std::size_t rank = 0; rank < choices.size(); ++rank) {
    if (choices[rank].code == choice) return rank;
  }
  return std::nullopt;
}

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > name_bytes_max) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

const FormField* Form::find(std::uint32_t number) const {
  // Most forms number their fields without a gap.
  if (number - 1 < fields.size() && fields[number - 1].number == number) return &fields[number - 1];
  const auto at = std::lower_bound(fields.begin(), fields.end(), number,
                                   [](const FormField& field, std::uint32_t key) { return field.number < key; });
  return at != fields.end() && at->number == number ? &*at : nullptr;
}

const FormField* Form::find(std::string_view field_name) const {
  const auto at =
      std::find_if(fields.begin(), fields.end(), [&](const FormField& field) { return field.name == field_name; });
  return at != fields.end() ? &*at : nullptr;
}

bool Form::is_sensitive() const {
  return std::any_of(fields.begin(), fields.end(), [](const FormField& field) {
    return field.confidentiality == Confidentiality::sealed || field.confidentiality == Confidentiality::safety;
  });
}

std::string_view label_in(const std::vector<Label>& labels, std::string_view language, std::string_view fallback) {
  const auto in = [&](std::string_view wanted) {
    return std::find_if(labels.begin(), labels.end(), [&](const Label& label) { return label.language == wanted; });
  };
  auto at = in(language);
  if (at == labels.end()) at = in("en");
  if (at == labels.end()) at = labels.begin();
  return at == labels.end() ? fallback : std::string_view(at->text);
}

Result<void> check_form(const Form& form) {
  if (!is_name(form.name)) return problem(form, "the name must be of a-z, 0-9 and _.");
  if (form.version == 0) return problem(form, "the version must be at least 1.");
  std::set<std::uint32_t> numbers;
  std::set<std::string_view> names;
  for (const FormField& field : form.fields) {
    if (auto checked = check_field(form, field); !checked) return checked;
    if (!numbers.insert(field.number).second)
      return problem(form, "number " + std::to_string(field.number) + " stands twice.");
    if (!names.insert(field.name).second) return problem(form, "name '" + field.name + "' stands twice.");
  }
  const FormField* whole = form.part_of_field();
  const bool is_reference = whole != nullptr && whole->type == FieldType::reference && whole->group == 0;
  if (!form.part_of.empty() && !is_reference)
    return problem(form, "part_of must name a reference field of the record itself.");
  return {};
}

Result<void> check_succession(const Form& current, const Form& next) {
  if (next.version <= current.version) {
    return problem(next, "version " + std::to_string(next.version) + " must be greater than " +
                             std::to_string(current.version) + ", the one in use.");
  }
  if (!current.part_of.empty() && next.part_of != current.part_of) return problem(next, "part_of never changes.");
  for (const FormField& field : current.fields) {
    const FormField* same = next.find(field.number);
    if (same == nullptr) return problem(next, "field '" + field.name + "' is missing; fields are never taken away.");
    if (same->type != field.type || same->name != field.name || same->group != field.group ||
        same->policy != field.policy) {
      return problem(next, "field '" + field.name + "' changed its name, type, group or policy; those never change.");
    }
    for (const FormChoice& choice : field.choices) {
      if (!same->rank_of(choice.code))
        return problem(next, "choice '" + choice.code + "' of '" + field.name + "' is missing.");
    }
  }
  return {};
}

}  // namespace fieldsync::core
