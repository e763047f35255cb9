#include "core/validation.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"

namespace fieldsync::core {
namespace {

constexpr std::size_t language_bytes_max = 35;
constexpr std::size_t choice_bytes_max = 64;
constexpr std::int32_t latitude_e7_max = 900'000'000;
constexpr std::int32_t longitude_e7_max = 1'800'000'000;

std::string name_of(const FormField* field) { return field == nullptr ? "a field" : "'" + field->name + "'"; }

Error refuse(Errc code, const FormField* field, std::string_view what) {
  return {code, "The value of " + name_of(field) + " " + std::string(what)};
}

bool type_fits(const Value& value, FieldType type) {
  switch (type) {
    case FieldType::text:
    case FieldType::group: return std::holds_alternative<std::string>(value);
    case FieldType::integer: return std::holds_alternative<std::int64_t>(value);
    case FieldType::number: return std::holds_alternative<double>(value);
    case FieldType::boolean: return std::holds_alternative<bool>(value);
    case FieldType::choice: return std::holds_alternative<Choice>(value);
    case FieldType::date: return std::holds_alternative<Date>(value);
    case FieldType::instant: return std::holds_alternative<Instant>(value);
    case FieldType::reference: return std::holds_alternative<RecordId>(value);
    case FieldType::position: return std::holds_alternative<Position>(value);
    case FieldType::attachment: return std::holds_alternative<Attachment>(value);
    case FieldType::local_text: return std::holds_alternative<LocalText>(value);
  }
  return false;
}

Result<void> check_text(std::string_view text, const FormField* field) {
  if (text.size() > text_bytes_max) {
    return refuse(Errc::value_too_large, field, "is longer than " + std::to_string(text_bytes_max) + " bytes.");
  }
  const auto characters = count_characters(text);
  if (!characters) return refuse(Errc::invalid_text, field, "is not valid UTF-8 or holds control characters.");
  if (field != nullptr && field->maximum_characters != 0 && *characters > field->maximum_characters) {
    return refuse(Errc::value_too_large, field,
                  "is longer than " + std::to_string(field->maximum_characters) + " characters.");
  }
  return {};
}

Result<void> check_range(double number, const FormField* field) {
  if (field == nullptr || !field->range) return {};
  if (number >= field->range->minimum && number <= field->range->maximum) return {};
  const auto plain = [](double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
  };
  return refuse(Errc::value_out_of_range, field,
                "must be from " + plain(field->range->minimum) + " to " + plain(field->range->maximum) + ".");
}

// What a person may call a file: no path, nothing that names another folder.
bool is_file_name(std::string_view name) {
  return count_characters(name).has_value() && name.find_first_of("/\\\t\n") == std::string_view::npos && name != "." &&
         name != "..";
}

// RFC 6838 section 4.2, in small letters; empty where it is not known.
bool is_media_type(std::string_view type) {
  const auto may_stand = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
           std::string_view("!#$&-^_.+/").find(letter) != std::string_view::npos;
  };
  const std::size_t slash = type.find('/');
  return type.empty() || (std::all_of(type.begin(), type.end(), may_stand) && slash != 0 && slash + 1 < type.size() &&
                          std::count(type.begin(), type.end(), '/') == 1);
}

// The checks that hold for each kind of value, with or without a form.
struct ContentCheck {
  const FormField* field;

  Result<void> operator()(const std::string& text) const { return check_text(text, field); }
  Result<void> operator()(std::int64_t number) const { return check_range(static_cast<double>(number), field); }
  Result<void> operator()(double number) const {
    if (!std::isfinite(number) || (number == 0 && std::signbit(number))) {
      return refuse(Errc::value_out_of_range, field, "is not a finite number.");
    }
    return check_range(number, field);
  }
  Result<void> operator()(const Choice& choice) const {
    if (choice.code.empty() || choice.code.size() > choice_bytes_max || !count_characters(choice.code)) {
      return refuse(Errc::invalid_text, field, "is not a choice's code.");
    }
    if (field != nullptr && !field->choices.empty() && !field->rank_of(choice.code)) {
      return refuse(Errc::value_out_of_range, field, "('" + choice.code + "') is not one of the form's choices.");
    }
    return {};
  }
  Result<void> operator()(const Position& position) const {
    if (std::abs(static_cast<std::int64_t>(position.latitude_e7)) > latitude_e7_max ||
        std::abs(static_cast<std::int64_t>(position.longitude_e7)) > longitude_e7_max) {
      return refuse(Errc::value_out_of_range, field, "is not a place on Earth.");
    }
    return {};
  }
  Result<void> operator()(const LocalText& local) const {
    if (local.language.empty() || local.language.size() > language_bytes_max || !count_characters(local.language)) {
      return refuse(Errc::invalid_text, field, "does not say its language.");
    }
    return check_text(local.text, field);
  }
  Result<void> operator()(const Attachment& attachment) const {
    const auto fits = [](std::uint32_t size, std::uint32_t most) { return size > 0 && size <= most; };
    if (!fits(attachment.file.size, attachment_bytes_max))
      return refuse(Errc::value_too_large, field, "is an attachment of no bytes, or of more than 64 MiB.");
    if (attachment.preview && !fits(attachment.preview->size, preview_bytes_max))
      return refuse(Errc::value_too_large, field, "has a preview of no bytes, or of more than 256 KiB.");
    if (attachment.name.size() > attachment_name_bytes_max || !is_file_name(attachment.name))
      return refuse(Errc::invalid_text, field, "has a name that no file may have, or one of more than 255 bytes.");
    if (attachment.media_type.size() > media_type_bytes_max || !is_media_type(attachment.media_type))
      return refuse(Errc::invalid_text, field, "has a media type that is none, like image/jpeg.");
    return {};
  }
  Result<void> operator()(const SealedValue& sealed) const {
    if (sealed.ciphertext.size() > 2 * text_bytes_max) return refuse(Errc::value_too_large, field, "is too large.");
    return {};
  }
  template <typename Other>
  Result<void> operator()(const Other&) const {
    return {};
  }
};

Result<void> check_write(const FieldWrite& write, const FormField* field) {
  const bool deletion = std::holds_alternative<Deletion>(write.value);
  const bool empty = std::holds_alternative<Empty>(write.value);
  if (write.key.field == existence_field) {
    if (deletion || empty) return {};
    return Error{Errc::wrong_value_type, "Field 0 holds only deletions and their undoing."};
  }
  if (deletion) return Error{Errc::wrong_value_type, "A deletion belongs in field 0."};
  if (field != nullptr) {
    const bool in_item = !write.key.item.is_none();
    if (in_item != (field->group != 0 || field->type == FieldType::group)) {
      return refuse(Errc::wrong_context, field,
                    in_item ? "does not belong in an item." : "belongs in an item of its group.");
    }
  }
  return check_value(write.value, field);
}

bool is_secret(const FormField& field) {
  return field.confidentiality == Confidentiality::sealed || field.confidentiality == Confidentiality::safety;
}

bool is_open_secret(const Value& value, const FormField* field) {
  if (field == nullptr || std::holds_alternative<SealedValue>(value) || std::holds_alternative<Empty>(value))
    return false;
  return is_secret(*field);
}

// Whether each field's writes follow one another: no key begins a second run.
bool stand_together(const std::vector<FieldWrite>& writes) {
  std::vector<FieldKey> runs;
  runs.reserve(writes.size());
  for (const FieldWrite& write : writes) {
    if (runs.empty() || runs.back() != write.key) runs.push_back(write.key);
  }
  // Most programs write fields in order.
  if (!std::is_sorted(runs.begin(), runs.end())) std::sort(runs.begin(), runs.end());
  return std::adjacent_find(runs.begin(), runs.end()) == runs.end();
}

bool may_repeat(const FormField* field) {
  return field == nullptr || field->policy == MergePolicy::set || field->policy == MergePolicy::append;
}

}  // namespace

bool holds_open_secret(const Operation& operation, const Form& form) {
  const bool has_secrets =
      std::any_of(form.fields.begin(), form.fields.end(), [](const FormField& field) { return is_secret(field); });
  return has_secrets && std::any_of(operation.writes.begin(), operation.writes.end(), [&](const FieldWrite& write) {
           return is_open_secret(write.value, form.find(write.key.field));
         });
}

Result<void> check_value(const Value& value, const FormField* field) {
  if (std::holds_alternative<Empty>(value)) return {};
  const bool sealed = std::holds_alternative<SealedValue>(value);
  if (is_open_secret(value, field))
    return refuse(Errc::must_be_sealed, field, "may only be stored sealed, which this version cannot do yet.");
  if (field != nullptr && !sealed && !type_fits(value, field->type)) {
    return refuse(Errc::wrong_value_type, field, "is not of the field's type.");
  }
  return std::visit(ContentCheck{field}, value);
}

Result<void> check_operation(const Operation& operation, const Form& form) {
  if (operation.record.is_none()) return Error{Errc::malformed_operation, "The operation names no record."};
  if (operation.kind == OperationKind::finalise) {
    return Error{Errc::not_supported_yet,
                 "Finalised editions are not accepted by this version yet. The operation is kept."};
  }
  if (operation.writes.empty()) return Error{Errc::malformed_operation, "The operation writes nothing."};
  if (operation.writes.size() > writes_per_operation_max) {
    return Error{Errc::too_many_elements, "The operation has more than 1,000 writes."};
  }
  std::size_t replaces = 0;
  for (std::size_t i = 0; i < operation.writes.size(); ++i) {
    const FieldWrite& write = operation.writes[i];
    replaces += write.replaces.size();
    if (replaces > replaces_per_operation_max) {
      return Error{Errc::too_many_elements, "The operation replaces more than 3,000 values."};
    }
    const FormField* field = form.find(write.key.field);
    if (auto checked = check_write(write, field); !checked) return checked;
    const bool repeats = i > 0 && operation.writes[i - 1].key == write.key;
    if (repeats && !may_repeat(field)) return Error{Errc::malformed_operation, "The operation writes one field twice."};
  }
  if (!stand_together(operation.writes)) {
    return Error{Errc::malformed_operation, "The operation's writes of one field do not stand together."};
  }
  return {};
}

}  // namespace fieldsync::core
