#include <iostream>

#include "fieldsync/calendar.h"
#include "fieldsync/commands.h"
#include "fieldsync/field_path.h"
#include "fieldsync/json_output.h"
#include "fieldsync/lookup.h"
#include "fieldsync/text_display.h"

namespace fieldsync::cli {
namespace {

// A record on the screen: a heading, then each field with its values beneath.
class RecordPage {
 public:
  RecordPage(const RecordView& record, Wording& wording)
      : record_(record), wording_(wording), form_(wording.form(record.form)) {}

  void print() const {
    print_heading();
    core::ItemId item;
    for (const ShownField& field : record_.fields) {
      if (field.item != item) print_item_heading(field);
      item = field.item;
      print_field(field);
    }
  }

 private:
  void print_heading() const {
    std::cout << for_terminal(wording_.form_label(record_.form)) << ": " << for_terminal(wording_.title(record_))
              << "\n\n"
              << "  Id        " << record_.id.hex() << '\n'
              << "  Form      " << record_.form << '\n'
              << "  Scope     " << for_terminal(wording_.scope_name(record_.scope)) << '\n'
              << "  Changed   " << local_minute(record_.changed) << '\n'
              << "  Progress  " << progress_words(record_.progress) << '\n';
    const std::string id = short_id(record_.id);
    if (record_.deleted) std::cout << "  DELETED   Bring it back with: fieldsync restore " << id << '\n';
    if (!record_.deleted_while_edited.empty()) {
      std::cout << "  CONFLICT  Deleted by " << for_terminal(deleters()) << " while others edited it. Settle it with: "
                << "fieldsync resolve " << id << " existence --pick keep (or delete)\n";
    }
  }

  std::string deleters() const {
    std::string names;
    for (const core::PersonId& person : record_.deleted_while_edited) {
      names += (names.empty() ? "" : ", ") + wording_.person(person);
    }
    return names;
  }

  const core::FormField* known(const ShownField& field) const {
    return form_ == nullptr ? nullptr : form_->find(field.number);
  }

  // Fields of an item stand under their group's label and the item's id.
  void print_item_heading(const ShownField& field) const {
    std::cout << '\n';
    if (field.item.is_none()) return;
    const core::FormField* inner = known(field);
    const core::FormField* group = inner == nullptr ? nullptr : form_->find(inner->group);
    if (inner != nullptr && inner->type == core::FieldType::group) group = inner;
    const std::string label = group == nullptr ? "Item" : wording_.field_label(*group) + ", " + group->name;
    std::cout << "== " << for_terminal(label) << '[' << short_id(field.item) << "]\n";
  }

  void print_field(const ShownField& field) const {
    const core::FormField* inner = known(field);
    if (inner != nullptr && inner->type == core::FieldType::group) return;
    const std::string label = inner == nullptr ? field.name : wording_.field_label(*inner);
    std::cout << '\n' << for_terminal(label) << " (" << field.name << ')';
    if (field.conflict) std::cout << "   CONFLICT";
    std::cout << '\n';
    std::size_t number = 0;
    for (const ShownValue& shown : field.values) {
      print_value(field.conflict ? std::to_string(++number) + ". " : "", shown, inner);
    }
    if (field.conflict) {
      std::cout << "  Settle it with: fieldsync resolve " << short_id(record_.id) << ' '
                << quoted_path(path_text(form_, field.item, field.name)) << " --pick NUMBER\n";
    }
  }

  void print_value(const std::string& number, const ShownValue& shown, const core::FormField* field) const {
    const std::string text = wording_.value(shown.value, field);
    std::size_t begin = 0;
    for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
      end = text.find('\n', begin);
      const std::string_view line = std::string_view(text).substr(begin, end == std::string::npos ? end : end - begin);
      std::cout << "  " << (begin == 0 ? number : std::string(number.size(), ' ')) << for_terminal(line);
      if (end != std::string::npos) std::cout << '\n';
    }
    std::cout << "   [" << for_terminal(wording_.source(shown)) << "]\n";
  }

  const RecordView& record_;
  Wording& wording_;
  const core::Form* form_;
};

}  // namespace

Result<void> run_show(const Settings& settings, const std::string& prefix) {
  const auto database = open_store(settings);
  if (!database) return database.error();
  const auto id = find_record(**database, prefix);
  if (!id) return id.error();
  const auto record = (*database)->read(*id);
  if (!record) return record.error();
  Wording wording(**database, settings.language);
  if (settings.json) {
    print_json(std::cout, record_json(*record, wording));
  } else {
    RecordPage(*record, wording).print();
  }
  return {};
}

}  // namespace fieldsync::cli
