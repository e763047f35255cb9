#include "fieldsync/draft.h"

#include "core/validation.h"

namespace fieldsync::cli {
namespace {

bool holds_several(const core::FormField& field) {
  return field.policy == core::MergePolicy::set || field.policy == core::MergePolicy::append ||
         field.policy == core::MergePolicy::counter;
}

}  // namespace

Error no_such_field(const core::Form& form, std::string_view name) {
  return {Errc::unknown_field, "The form '" + form.name + "' has no field '" + std::string(name) +
                                   "'. See: fieldsync forms " + form.name + "."};
}

bool EditTexts::empty() const {
  return set.empty() && add.empty() && remove.empty() && clear.empty() && add_items.empty() && delete_items.empty();
}

Draft::Draft(RecordEditor& editor, const core::Form& form, FindRecord find_record)
    : editor_(editor), form_(form), find_record_(std::move(find_record)) {}

Result<void> Draft::apply(const EditTexts& texts) {
  const auto each = [this](const std::vector<std::string>& list, auto step) -> Result<void> {
    for (const std::string& text : list) {
      if (auto done = (this->*step)(text); !done) return done;
    }
    return {};
  };
  if (auto done = each(texts.add_items, &Draft::add_item); !done) return done;
  if (auto done = each(texts.clear, &Draft::clear); !done) return done;
  if (auto done = each(texts.remove, &Draft::remove); !done) return done;
  if (auto done = each(texts.set, &Draft::set); !done) return done;
  if (auto done = each(texts.add, &Draft::add); !done) return done;
  return each(texts.delete_items, &Draft::delete_item);
}

Result<void> Draft::set(std::string_view assignment) {
  const auto parts = parse_assignment(assignment);
  if (!parts) return parts.error();
  const auto target = find_target(parts->path);
  if (!target) return target.error();
  auto value = parse_value(*target->field, parts->value, find_record_);
  if (!value) return value.error();
  return editor_.set(target->field->name, std::move(*value), target->item);
}

Result<void> Draft::check_attachable(std::string_view path) {
  const auto target = find_target(path);
  if (!target) return target.error();
  if (target->field->type != core::FieldType::attachment) {
    return Error{Errc::wrong_value_type,
                 "Field '" + target->field->name + "' takes no attachment. See: fieldsync forms " + form_.name + "."};
  }
  core::Attachment any;
  any.file.size = 1;
  return core::check_value(core::Value(any), target->field);
}

Result<void> Draft::put(std::string_view path, core::Value value) {
  const auto target = find_target(path);
  if (!target) return target.error();
  return editor_.set(target->field->name, std::move(value), target->item);
}

Result<void> Draft::add(std::string_view assignment) {
  const auto parts = parse_assignment(assignment);
  if (!parts) return parts.error();
  const auto target = find_target(parts->path);
  if (!target) return target.error();
  if (!holds_several(*target->field)) {
    return Error{Errc::invalid_argument, "Field '" + target->field->name + "' holds one value; write " +
                                             std::string(assignment) + " without --add to put it in its place."};
  }
  return set(assignment);
}

Result<void> Draft::remove(std::string_view assignment) {
  const auto parts = parse_assignment(assignment);
  if (!parts) return parts.error();
  const auto target = find_target(parts->path);
  if (!target) return target.error();
  const auto value = parse_value(*target->field, parts->value, find_record_);
  if (!value) return value.error();
  return editor_.remove(target->field->name, *value, target->item);
}

Result<void> Draft::clear(std::string_view path) {
  const auto target = find_target(path);
  if (!target) return target.error();
  return editor_.clear(target->field->name, target->item);
}

Result<void> Draft::add_item(const std::string& group) {
  const auto item = editor_.add_item(group);
  if (!item) return item.error();
  added_items_[group] = *item;
  return {};
}

Result<void> Draft::delete_item(const std::string& prefix) {
  const auto item = find_item(editor_.view(), prefix);
  if (!item) return item.error();
  return editor_.delete_item(*item);
}

Result<Draft::Target> Draft::find_target(std::string_view text) {
  const auto path = parse_field_path(text);
  if (!path) return path.error();
  const core::FormField* field = form_.find(path->field);
  if (field == nullptr) return no_such_field(form_, path->field);
  const core::FormField* group = form_.find(field->group);
  if (group != nullptr && path->group != group->name) {
    const std::string in_group = group->name + "[new]." + field->name;
    return Error{Errc::invalid_argument, "Field '" + field->name + "' belongs to the group '" + group->name +
                                             "'; write '" + in_group + "' or give an item's id for 'new'."};
  }
  if (group == nullptr && !path->group.empty()) {
    return Error{Errc::invalid_argument,
                 "Field '" + field->name + "' is the record's own; write it without '" + path->group + "[...]'."};
  }
  if (group == nullptr) return Target{field, {}};
  const auto item = find_path_item(*path);
  if (!item) return item.error();
  return Target{field, *item};
}

Result<core::ItemId> Draft::find_path_item(const FieldPath& path) {
  if (path.item != new_item) return find_item(editor_.view(), path.item);
  if (!added_items_.contains(path.group)) {
    if (auto added = add_item(path.group); !added) return added.error();
  }
  return added_items_.at(path.group);
}

}  // namespace fieldsync::cli
