#include "fieldsync/json_value.h"

#include <boost/json/serialize.hpp>
#include <limits>
#include <optional>

#include "fieldsync/calendar.h"

namespace fieldsync::cli {
namespace {

namespace json = boost::json;

Error wrong_type(const core::FormField& field, const json::value& given) {
  return {Errc::wrong_value_type, "Field '" + field.name + "' does not take " + json::serialize(given) + "."};
}

std::optional<std::int64_t> whole_number(const json::value& given) {
  if (const auto* number = given.if_int64()) return *number;
  const auto* number = given.if_uint64();
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (number == nullptr || *number > most) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<double> real_number(const json::value& given) {
  if (const auto* number = given.if_double()) return *number;
  if (const auto whole = whole_number(given)) return static_cast<double>(*whole);
  return std::nullopt;
}

std::optional<core::LocalText> local_text(const json::value& given) {
  const auto* object = given.if_object();
  if (object == nullptr || object->size() != 2) return std::nullopt;
  const auto* language = object->if_contains("language");
  const auto* text = object->if_contains("text");
  if (language == nullptr || !language->is_string() || text == nullptr || !text->is_string()) return std::nullopt;
  return core::LocalText{std::string(language->get_string()), std::string(text->get_string())};
}

template <typename Parsed>
Result<core::Value> value_or(const std::optional<Parsed>& parsed, const Error& error) {
  if (!parsed) return error;
  return core::Value(*parsed);
}

// What programs read does not depend on a person's language or time zone.
struct JsonOf {
  json::value operator()(const core::Empty&) const { return nullptr; }
  json::value operator()(std::int64_t number) const { return number; }
  json::value operator()(double number) const { return number; }
  json::value operator()(bool yes) const { return yes; }
  json::value operator()(const core::Choice& choice) const { return json::string(choice.code); }
  json::value operator()(const core::Instant& instant) const { return json::string(rfc3339(instant)); }
  json::value operator()(const core::LocalText& local) const {
    return json::object{{"language", local.language}, {"text", local.text}};
  }
  json::value operator()(const core::Attachment& attachment) const {
    json::object object{{"sha256", attachment.file.id.hex()},
                        {"size", attachment.file.size},
                        {"kind", attachment_kind_name(attachment.kind)},
                        {"media_type", attachment.media_type},
                        {"name", attachment.name}};
    if (attachment.preview)
      object["preview"] = json::object{{"sha256", attachment.preview->id.hex()}, {"size", attachment.preview->size}};
    return object;
  }
  json::value operator()(const core::SealedValue& sealed) const {
    return json::object{{"sealed", true}, {"key_generation", sealed.key_generation}};
  }
  json::value operator()(const core::Deletion&) const { return json::object{{"deleted", true}}; }
  template <typename Other>
  json::value operator()(const Other& other) const {
    const Reader reader{"", [](const core::RecordId& record) { return record.hex(); }};
    return json::string(value_text(core::Value(other), nullptr, reader));
  }
};

}  // namespace

json::value value_json(const core::Value& value) { return std::visit(JsonOf{}, value); }

Result<core::Value> parse_json_value(const core::FormField& field, const json::value& given,
                                     const FindRecord& find_record) {
  if (const auto* text = given.if_string()) return parse_value(field, std::string(*text), find_record);
  switch (field.type) {
    case core::FieldType::integer: return value_or(whole_number(given), wrong_type(field, given));
    case core::FieldType::number: return value_or(real_number(given), wrong_type(field, given));
    case core::FieldType::boolean:
      if (given.is_bool()) return core::Value(given.get_bool());
      return wrong_type(field, given);
    case core::FieldType::local_text: return value_or(local_text(given), wrong_type(field, given));
    default: return wrong_type(field, given);
  }
}

}  // namespace fieldsync::cli
