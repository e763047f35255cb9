// wording.h: what people call the records, fields and persons that a Database
// knows by number and id. Looks each up once.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/form.h"
#include "core/id.h"
#include "fieldsync/database.h"
#include "fieldsync/record.h"
#include "fieldsync/value_text.h"

namespace fieldsync::cli {

class Wording {
 public:
  // `database` must outlive it.
  Wording(Database& database, std::string language);
  Wording(const Wording&) = delete;
  Wording& operator=(const Wording&) = delete;

  // Null where the database has no such form.
  [[nodiscard]] const core::Form* form(std::string_view name);
  [[nodiscard]] std::string form_label(std::string_view name);
  [[nodiscard]] std::string field_label(const core::FormField& field) const;
  [[nodiscard]] std::string scope_name(const core::ScopeId& scope);
  [[nodiscard]] std::string person(const core::PersonId& person);
  // By whom and when: "Айдай Үсөнова, 2026-11-24 16:00, not sent yet".
  [[nodiscard]] std::string source(const ShownValue& shown);

  // The title fields of a record in one line; its short id where it has none.
  [[nodiscard]] std::string title(const core::RecordId& record);
  [[nodiscard]] std::string title(const RecordView& record);

  [[nodiscard]] std::string value(const core::Value& value, const core::FormField* field) const;
  // All values of a field, also of its items, joined with "; ".
  [[nodiscard]] std::string all_values(const RecordView& record, const core::FormField& field) const;
  // The same for one cell on the screen: of text in several languages only the
  // reader's, or the first; a field in conflict begins with an exclamation mark.
  [[nodiscard]] std::string cell(const RecordView& record, const core::FormField& field) const;

 private:
  Database& database_;
  Reader reader_;
  std::map<std::string, core::Form, std::less<>> forms_;
  std::map<core::RecordId, std::string> titles_;
  std::map<core::ScopeId, std::string> scope_names_;
};

// The fields by which a record is recognised: those marked in_title, or the first
// few where the form marks none.
[[nodiscard]] std::vector<const core::FormField*> title_fields(const core::Form& form);

// "saved here", "sent", "durable", "refused".
[[nodiscard]] std::string_view progress_words(Progress progress);

}  // namespace fieldsync::cli
