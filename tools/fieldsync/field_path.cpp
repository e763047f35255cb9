#include "fieldsync/field_path.h"

#include <set>

#include "fieldsync/value_text.h"

namespace fieldsync::cli {
namespace {

Error not_a_path(std::string_view text) {
  return {Errc::invalid_argument,
          "'" + std::string(text) + "' names no field. Write 'field', 'group[item].field' or 'group[new].field'."};
}

}  // namespace

Result<FieldPath> parse_field_path(std::string_view text) {
  const std::size_t open = text.find('[');
  if (open == std::string_view::npos) {
    if (text.empty()) return not_a_path(text);
    return FieldPath{"", "", std::string(text)};
  }
  const std::size_t close = text.find("].", open);
  if (close == std::string_view::npos) return not_a_path(text);
  FieldPath path{std::string(text.substr(0, open)), std::string(text.substr(open + 1, close - open - 1)),
                 std::string(text.substr(close + 2))};
  if (path.group.empty() || path.item.empty() || path.field.empty()) return not_a_path(text);
  return path;
}

std::string path_text(const core::Form* form, const core::ItemId& item, std::string_view field) {
  if (item.is_none()) return std::string(field);
  const core::FormField* known = form == nullptr ? nullptr : form->find(field);
  const core::FormField* group = known == nullptr ? nullptr : form->find(known->group);
  return (group == nullptr ? "item" : group->name) + '[' + short_id(item) + "]." + std::string(field);
}

std::string quoted_path(std::string_view path) {
  const bool plain = path.find('[') == std::string_view::npos;
  return plain ? std::string(path) : '\'' + std::string(path) + '\'';
}

Result<core::ItemId> find_item(const RecordView& record, std::string_view prefix) {
  std::set<core::ItemId> found;
  for (const ShownField& field : record.fields) {
    if (!field.item.is_none() && field.item.hex().starts_with(prefix)) found.insert(field.item);
  }
  const std::string named = " begins with '" + std::string(prefix) + "'.";
  if (found.empty()) return Error{Errc::not_found, "No item of this record" + named};
  if (found.size() > 1) return Error{Errc::ambiguous, "The id of more than one item" + named + " Give more digits."};
  return *found.begin();
}

Result<Assignment> parse_assignment(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return Error{Errc::invalid_argument, "'" + std::string(text) + "' is not of the form field=value."};
  }
  const Assignment assignment{text.substr(0, equals), text.substr(equals + 1)};
  if (assignment.value.empty()) {
    return Error{Errc::invalid_argument, "'" + std::string(text) + "' has no value. To empty a field that has one: " +
                                             "edit RECORD --clear " + std::string(assignment.path) + "."};
  }
  return assignment;
}

}  // namespace fieldsync::cli
