// draft.h: writes what the command line says into a RecordEditor. Nothing is
// stored before the editor's own save().
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/form.h"
#include "fieldsync/field_path.h"
#include "fieldsync/record.h"
#include "fieldsync/value_text.h"

namespace fieldsync::cli {

// What is done to one record, as typed: "field=value" or "field", see field_path.h.
struct EditTexts {
  std::vector<std::string> set;
  std::vector<std::string> add;
  std::vector<std::string> remove;
  std::vector<std::string> clear;
  std::vector<std::string> add_items;     // names of groups
  std::vector<std::string> delete_items;  // first digits of item ids

  [[nodiscard]] bool empty() const;
};

// unknown_field, and where to look.
[[nodiscard]] Error no_such_field(const core::Form& form, std::string_view name);

class Draft {
 public:
  // Borrows both; they outlive the draft.
  Draft(RecordEditor& editor, const core::Form& form, FindRecord find_record);

  // In this order: items added, fields emptied, values removed, set and added,
  // items deleted. Stops at the first that is refused: invalid_argument,
  // unknown_field, not_found and what parse_value and the editor say.
  [[nodiscard]] Result<void> apply(const EditTexts& texts);
  // Whether put() takes an attachment there, to be asked before its bytes are stored:
  // unknown_field, wrong_value_type, must_be_sealed.
  [[nodiscard]] Result<void> check_attachable(std::string_view path);
  // A value that nobody types.
  [[nodiscard]] Result<void> put(std::string_view path, core::Value value);

 private:
  struct Target {
    const core::FormField* field = nullptr;
    core::ItemId item;
  };

  [[nodiscard]] Result<void> set(std::string_view assignment);
  // Only for fields that hold several values, so that nothing is replaced by surprise.
  [[nodiscard]] Result<void> add(std::string_view assignment);
  [[nodiscard]] Result<void> remove(std::string_view assignment);
  [[nodiscard]] Result<void> clear(std::string_view path);
  [[nodiscard]] Result<void> add_item(const std::string& group);
  [[nodiscard]] Result<void> delete_item(const std::string& prefix);

  [[nodiscard]] Result<Target> find_target(std::string_view path);
  [[nodiscard]] Result<core::ItemId> find_path_item(const FieldPath& path);

  RecordEditor& editor_;
  const core::Form& form_;
  FindRecord find_record_;
  std::map<std::string, core::ItemId, std::less<>> added_items_;  // by group, the last one
};

}  // namespace fieldsync::cli
