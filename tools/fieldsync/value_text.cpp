#include "fieldsync/value_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "fieldsync/calendar.h"
#include "fieldsync/text_compare.h"

namespace fieldsync::cli {
namespace {

constexpr double units_per_degree = 1e7;
constexpr double latitude_degrees_max = 90;
constexpr double longitude_degrees_max = 180;

Error refuse(Errc code, const core::FormField& field, std::string_view text, std::string_view wanted) {
  return {code, "Field '" + field.name + "' takes " + std::string(wanted) + ", not '" + std::string(text) + "'."};
}

Error wrong_type(const core::FormField& field, std::string_view text, std::string_view wanted) {
  return refuse(Errc::wrong_value_type, field, text, wanted);
}

template <typename Number>
std::optional<Number> whole_of(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::optional<double> finite_number(std::string_view text) {
  const auto number = whole_of<double>(text);
  if (!number || !std::isfinite(*number)) return std::nullopt;
  return *number == 0 ? 0.0 : *number;  // there is no negative zero in a record
}

Result<core::Value> parse_boolean(const core::FormField& field, std::string_view text) {
  if (same_text(text, "yes") || same_text(text, "true")) return core::Value(true);
  if (same_text(text, "no") || same_text(text, "false")) return core::Value(false);
  return wrong_type(field, text, "yes or no");
}

bool has_label(const core::FormChoice& choice, std::string_view text) {
  return std::any_of(choice.labels.begin(), choice.labels.end(),
                     [&](const core::Label& label) { return same_text(label.text, text); });
}

std::string codes_of(const core::FormField& field) {
  std::string codes;
  for (const core::FormChoice& choice : field.choices) codes += (codes.empty() ? "" : ", ") + choice.code;
  return codes;
}

Result<core::Value> parse_choice(const core::FormField& field, std::string_view text) {
  if (field.rank_of(text)) return core::Value(core::Choice{std::string(text)});
  const core::FormChoice* found = nullptr;
  for (const core::FormChoice& choice : field.choices) {
    if (!has_label(choice, text)) continue;
    if (found != nullptr) {
      return Error{Errc::ambiguous, "Several choices of '" + field.name + "' are called '" + std::string(text) +
                                        "'. Give one of the codes: " + codes_of(field) + "."};
    }
    found = &choice;
  }
  if (found == nullptr) return refuse(Errc::value_out_of_range, field, text, "one of " + codes_of(field));
  return core::Value(core::Choice{found->code});
}

Result<core::Value> parse_position(const core::FormField& field, std::string_view text) {
  constexpr std::string_view wanted = "degrees such as 42.8746,74.5698";
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return wrong_type(field, text, wanted);
  std::string_view east = text.substr(comma + 1);
  if (east.starts_with(' ')) east.remove_prefix(1);
  const auto latitude = finite_number(text.substr(0, comma));
  const auto longitude = finite_number(east);
  if (!latitude || !longitude) return wrong_type(field, text, wanted);
  if (std::abs(*latitude) > latitude_degrees_max || std::abs(*longitude) > longitude_degrees_max) {
    return refuse(Errc::value_out_of_range, field, text, "a place on Earth, latitude first");
  }
  return core::Value(core::Position{static_cast<std::int32_t>(std::lround(*latitude * units_per_degree)),
                                    static_cast<std::int32_t>(std::lround(*longitude * units_per_degree))});
}

Result<core::Value> parse_reference(std::string_view text, const FindRecord& find_record) {
  if (const auto whole = core::RecordId::parse_hex(text)) return core::Value(*whole);
  const auto found = find_record(text);
  if (!found) return found.error();
  return core::Value(*found);
}

// Language tags have two letters or more and nothing but letters, digits and hyphens.
Result<core::Value> parse_local_text(const core::FormField& field, std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view language = text.substr(0, colon);
  const bool is_tag = language.size() >= 2 && std::all_of(language.begin(), language.end(), [](char letter) {
                        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                               (letter >= '0' && letter <= '9') || letter == '-';
                      });
  if (colon == std::string_view::npos || !is_tag) return wrong_type(field, text, "language:text, such as ky:Ош");
  return core::Value(core::LocalText{std::string(language), std::string(text.substr(colon + 1))});
}

template <typename Parsed>
Result<core::Value> value_or(const std::optional<Parsed>& parsed, const Error& error) {
  if (!parsed) return error;
  return core::Value(*parsed);
}

std::string number_text(double number) {
  std::array<char, 32> digits{};
  const auto [end, problem] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return {digits.data(), end};
}

std::string attachment_text(const core::Attachment& attachment) {
  const std::string what(attachment_kind_name(attachment.kind));
  return (attachment.name.empty() ? attachment.file.id.hex().substr(0, 8) : attachment.name) + " (" + what + ", " +
         bytes_text(attachment.file.size) + ")";
}

std::string choice_text(const core::Choice& choice, const core::FormField* field, const Reader& reader) {
  const auto rank = field == nullptr ? std::nullopt : field->rank_of(choice.code);
  if (!rank) return choice.code;
  return std::string(core::label_in(field->choices[*rank].labels, reader.language, choice.code));
}

// Each kind of value as text.
struct TextOf {
  const core::FormField* field;
  const Reader& reader;

  std::string operator()(const core::Empty&) const { return {}; }
  std::string operator()(const std::string& text) const { return text; }
  std::string operator()(std::int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const { return number_text(number); }
  std::string operator()(bool yes) const { return yes ? "yes" : "no"; }
  std::string operator()(const core::Choice& choice) const { return choice_text(choice, field, reader); }
  std::string operator()(const core::Date& date) const { return date_text(date); }
  std::string operator()(const core::Instant& instant) const { return local_time(instant); }
  std::string operator()(const core::RecordId& record) const { return reader.title_of(record); }
  std::string operator()(const core::Position& position) const {
    return number_text(position.latitude_e7 / units_per_degree) + ',' +
           number_text(position.longitude_e7 / units_per_degree);
  }
  std::string operator()(const core::Attachment& attachment) const { return attachment_text(attachment); }
  std::string operator()(const core::LocalText& local) const { return local.language + ':' + local.text; }
  std::string operator()(const core::SealedValue&) const { return "(sealed)"; }
  std::string operator()(const core::Deletion&) const { return "(deleted)"; }
};

}  // namespace

Result<core::Value> parse_value(const core::FormField& field, std::string_view text, const FindRecord& find_record) {
  switch (field.type) {
    case core::FieldType::text: return core::Value(std::string(text));
    case core::FieldType::integer:
      return value_or(whole_of<std::int64_t>(text), wrong_type(field, text, "a whole number such as 12"));
    case core::FieldType::number: return value_or(finite_number(text), wrong_type(field, text, "a number such as 3.5"));
    case core::FieldType::boolean: return parse_boolean(field, text);
    case core::FieldType::choice: return parse_choice(field, text);
    case core::FieldType::date: return value_or(parse_date(text), wrong_type(field, text, "a date such as 2026-11-24"));
    case core::FieldType::instant:
      return value_or(parse_instant(text), wrong_type(field, text, "a time such as 2026-11-24T16:00+06:00"));
    case core::FieldType::reference: return parse_reference(text, find_record);
    case core::FieldType::position: return parse_position(field, text);
    case core::FieldType::attachment: return wrong_type(field, text, "a file: fieldsync attach RECORD FIELD=FILE");
    case core::FieldType::local_text: return parse_local_text(field, text);
    case core::FieldType::group: return wrong_type(field, text, "items, each with fields of its own");
  }
  return wrong_type(field, text, "a value of a type that this version does not know");
}

std::string_view attachment_kind_name(core::AttachmentKind kind) {
  switch (kind) {
    case core::AttachmentKind::audio: return "audio";
    case core::AttachmentKind::photo: return "photo";
    case core::AttachmentKind::document: return "document";
  }
  return "attachment";
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr double unit = 1'000;
  std::array<char, 32> text{};
  const auto print = [&](double number, const char* of) {
    std::snprintf(text.data(), text.size(), number < 10 ? "%.1f %s" : "%.0f %s", number, of);
    return std::string(text.data());
  };
  const auto number = static_cast<double>(bytes);
  if (number < unit) return std::to_string(bytes) + " bytes";
  if (number < unit * unit) return print(number / unit, "kB");
  return number < unit * unit * unit ? print(number / unit / unit, "MB") : print(number / unit / unit / unit, "GB");
}

std::string value_text(const core::Value& value, const core::FormField* field, const Reader& reader) {
  return std::visit(TextOf{field, reader}, value);
}

}  // namespace fieldsync::cli
