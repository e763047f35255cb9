#include "fieldsync/draft_json.h"

#include <boost/json/array.hpp>

#include "fieldsync/json_value.h"

namespace fieldsync::cli {
namespace {

namespace json = boost::json;

class Filler {
 public:
  Filler(RecordEditor& editor, const core::Form& form, const FindRecord& find_record)
      : editor_(editor), form_(form), find_record_(find_record) {}

  // `group` 0 and no item: the record's own fields.
  Result<void> fill(const json::object& object, std::uint32_t group, const core::ItemId& item) {
    for (const auto& [key, given] : object) {
      const core::FormField* field = form_.find(std::string_view(key));
      if (field == nullptr || field->group != group) return misplaced(key, group);
      if (auto done = fill_field(*field, given, item); !done) return done;
    }
    return {};
  }

 private:
  Result<void> fill_field(const core::FormField& field, const json::value& given, const core::ItemId& item) {
    const auto* several = given.if_array();
    if (several == nullptr) return fill_one(field, given, item);
    for (const json::value& one : *several) {
      if (auto done = fill_one(field, one, item); !done) return done;
    }
    return {};
  }

  Result<void> fill_one(const core::FormField& field, const json::value& given, const core::ItemId& item) {
    if (given.is_null()) return {};
    if (field.type == core::FieldType::group) return fill_item(field, given);
    auto value = parse_json_value(field, given, find_record_);
    if (!value) return value.error();
    return editor_.set(field.name, std::move(*value), item);
  }

  Result<void> fill_item(const core::FormField& group, const json::value& given) {
    const auto* object = given.if_object();
    if (object == nullptr) {
      return Error{Errc::wrong_value_type, "The group '" + group.name + "' takes an array of objects."};
    }
    const auto item = editor_.add_item(group.name);
    if (!item) return item.error();
    return fill(*object, group.number, *item);
  }

  Error misplaced(std::string_view key, std::uint32_t group) const {
    const core::FormField* owner = form_.find(group);
    const std::string place = owner == nullptr ? "The form '" + form_.name + "'" : "The group '" + owner->name + "'";
    return {Errc::unknown_field, place + " has no field '" + std::string(key) + "'."};
  }

  RecordEditor& editor_;
  const core::Form& form_;
  const FindRecord& find_record_;
};

}  // namespace

Result<void> fill_from_json(RecordEditor& editor, const core::Form& form, const json::object& object,
                            const FindRecord& find_record) {
  return Filler(editor, form, find_record).fill(object, 0, core::ItemId{});
}

}  // namespace fieldsync::cli
