// field_path.h: which field of a record somebody means on the command line.
//
//   summary              a field of the record itself
//   areas[3f2a].note     a field of the item whose id begins with 3f2a
//   areas[new].note      a field of the item that this command adds
#pragma once

#include <string>
#include <string_view>

#include "core/form.h"
#include "core/id.h"
#include "core/result.h"
#include "fieldsync/record.h"

namespace fieldsync::cli {

struct FieldPath {
  std::string group;  // empty: the record's own
  std::string item;   // first digits of the item's id, or "new"
  std::string field;
};

inline constexpr std::string_view new_item = "new";

// invalid_argument where it has none of the forms above.
[[nodiscard]] Result<FieldPath> parse_field_path(std::string_view text);

// The path by which the field is found again.
[[nodiscard]] std::string path_text(const core::Form* form, const core::ItemId& item, std::string_view field);

// As a person types it into a shell, to which brackets mean something.
[[nodiscard]] std::string quoted_path(std::string_view path);

// The item of the record whose id begins with `prefix`. not_found, ambiguous.
[[nodiscard]] Result<core::ItemId> find_item(const RecordView& record, std::string_view prefix);

// "field=value" at its first equals sign. invalid_argument where there is none.
struct Assignment {
  std::string_view path;
  std::string_view value;
};
[[nodiscard]] Result<Assignment> parse_assignment(std::string_view text);

}  // namespace fieldsync::cli
