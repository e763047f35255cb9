#include "fieldsync/wording.h"

#include "fieldsync/calendar.h"

namespace fieldsync::cli {
namespace {

constexpr std::size_t untitled_fields_max = 3;

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string result;
  for (const std::string& text : texts) {
    if (!result.empty()) result += separator;
    result += text;
  }
  return result;
}

// The text in `language`, or the first, where every value is a text with a language.
const core::LocalText* preferred_text(const std::vector<const core::Value*>& values, std::string_view language) {
  const core::LocalText* preferred = nullptr;
  for (const core::Value* value : values) {
    const auto* local = std::get_if<core::LocalText>(value);
    if (local == nullptr) return nullptr;
    if (preferred == nullptr || (local->language == language && preferred->language != language)) preferred = local;
  }
  return preferred;
}

struct FieldContent {
  std::vector<const core::Value*> values;
  bool conflict = false;
};

FieldContent content_of(const RecordView& record, const core::FormField& field) {
  FieldContent content;
  for (const ShownField& shown : record.fields) {
    if (shown.number != field.number) continue;
    content.conflict = content.conflict || shown.conflict;
    for (const ShownValue& value : shown.values) content.values.push_back(&value.value);
  }
  return content;
}

}  // namespace

Wording::Wording(Database& database, std::string language)
    : database_(database), reader_{std::move(language), [this](const core::RecordId& record) {
                                     return title(record);
                                   }} {}

const core::Form* Wording::form(std::string_view name) {
  const auto known = forms_.find(name);
  if (known != forms_.end()) return &known->second;
  auto found = database_.form(name);
  if (!found) return nullptr;
  return &forms_.emplace(std::string(name), std::move(*found)).first->second;
}

std::string Wording::form_label(std::string_view name) {
  const core::Form* known = form(name);
  return std::string(known == nullptr ? name : core::label_in(known->labels, reader_.language, name));
}

std::string Wording::field_label(const core::FormField& field) const {
  return std::string(core::label_in(field.labels, reader_.language, field.name));
}

std::string Wording::scope_name(const core::ScopeId& scope) {
  if (scope_names_.empty()) {
    const auto scopes = database_.scopes();
    if (!scopes) return short_id(scope);
    for (const ScopeInfo& info : *scopes) scope_names_.emplace(info.id, info.name);
  }
  const auto known = scope_names_.find(scope);
  return known == scope_names_.end() ? short_id(scope) : known->second;
}

std::string Wording::person(const core::PersonId& person) { return database_.person_name(person); }

std::string Wording::source(const ShownValue& shown) {
  if (shown.author.is_none()) return "sum of all";
  const std::string source = person(shown.author) + ", " + local_minute(shown.effective);
  return shown.unsent ? source + ", not sent yet" : source;
}

std::string Wording::title(const core::RecordId& record) {
  // Standing here before its title is known, a record that refers to itself ends
  // in its id.
  const auto [known, is_new] = titles_.emplace(record, short_id(record));
  if (!is_new) return known->second;
  const auto view = database_.read(record);
  if (!view) return known->second;
  return titles_[record] = title(*view);
}

std::string Wording::title(const RecordView& record) {
  const core::Form* known = form(record.form);
  std::vector<std::string> parts;
  if (known != nullptr) {
    for (const core::FormField* field : title_fields(*known)) {
      if (std::string part = cell(record, *field); !part.empty()) parts.push_back(std::move(part));
    }
  }
  return parts.empty() ? short_id(record.id) : joined(parts, ", ");
}

std::string Wording::value(const core::Value& value, const core::FormField* field) const {
  return value_text(value, field, reader_);
}

std::string Wording::all_values(const RecordView& record, const core::FormField& field) const {
  std::vector<std::string> texts;
  for (const core::Value* one : content_of(record, field).values) texts.push_back(value(*one, &field));
  return joined(texts, "; ");
}

std::string Wording::cell(const RecordView& record, const core::FormField& field) const {
  const FieldContent content = content_of(record, field);
  if (content.conflict) return "! " + all_values(record, field);
  const core::LocalText* text = preferred_text(content.values, reader_.language);
  return text == nullptr ? all_values(record, field) : text->text;
}

std::vector<const core::FormField*> title_fields(const core::Form& form) {
  std::vector<const core::FormField*> marked;
  std::vector<const core::FormField*> first;
  for (const core::FormField& field : form.fields) {
    if (field.type == core::FieldType::group) continue;
    if (field.in_title) marked.push_back(&field);
    if (field.group == 0 && first.size() < untitled_fields_max) first.push_back(&field);
  }
  return marked.empty() ? first : marked;
}

std::string_view progress_words(Progress progress) {
  switch (progress) {
    case Progress::saved_here: return "saved here";
    case Progress::sent: return "sent";
    case Progress::durable: return "durable";
    case Progress::refused: return "refused";
  }
  return "unknown";
}

}  // namespace fieldsync::cli
