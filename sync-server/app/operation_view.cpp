#include "app/operation_view.h"

#include <boost/json.hpp>
#include <iomanip>
#include <sstream>

#include "app/rows.h"
#include "core/text.h"

namespace fieldsync::server {
namespace {

namespace json = boost::json;

// How many bytes the character at the front of `text` has; 0 where it is none.
std::size_t character_bytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t bytes = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  const std::string_view character = text.substr(0, bytes);
  return character.size() == bytes && core::count_characters(character) == 1 ? bytes : 0;
}

// Marks and isolates of direction (Unicode TR 9): a line may read otherwise with them.
bool turns_text(std::string_view character) {
  constexpr std::string_view arabic_letter_mark = "\xD8\x9C";
  if (character == arabic_letter_mark) return true;
  if (character.size() != 3) return false;
  const std::string_view begins = character.substr(0, 2);
  const auto last = static_cast<unsigned char>(character[2]);
  const bool mark_or_embedding =
      begins == "\xE2\x80" && (last == 0x8E || last == 0x8F || (last >= 0xA8 && last <= 0xAE));
  const bool isolate = begins == "\xE2\x81" && last >= 0xA6 && last <= 0xA9;
  return mark_or_embedding || isolate;
}

std::string escaped(std::string_view bytes) {
  std::ostringstream text;
  for (const char byte : bytes)
    text << "\\x" << std::hex << std::setw(2) << std::setfill('0')
         << static_cast<unsigned>(static_cast<unsigned char>(byte));
  return text.str();
}

json::object file_json(const core::AttachmentFile& file) { return {{"sha256", file.id.hex()}, {"bytes", file.size}}; }

struct ToJson {
  json::value operator()(const core::Empty& /*value*/) const { return nullptr; }
  json::value operator()(const std::string& value) const { return json_text(value); }
  json::value operator()(std::int64_t value) const { return value; }
  json::value operator()(double value) const { return value; }
  json::value operator()(bool value) const { return value; }
  json::value operator()(const core::Choice& value) const { return json_text(value.code); }
  json::value operator()(const core::Date& value) const { return json::object{{"days_since_1970", value.days}}; }
  json::value operator()(const core::Instant& value) const { return json::object{{"ms_since_1970", value.ms}}; }
  json::value operator()(const core::RecordId& value) const { return json::object{{"record", value.hex()}}; }
  json::value operator()(const core::Position& value) const {
    return json::object{{"latitude_e7", value.latitude_e7}, {"longitude_e7", value.longitude_e7}};
  }
  json::value operator()(const core::Attachment& value) const {
    json::object object = file_json(value.file);
    object["name"] = json_text(value.name);
    object["media_type"] = json_text(value.media_type);
    if (value.preview) object["preview"] = file_json(*value.preview);
    return object;
  }
  json::value operator()(const core::LocalText& value) const {
    return json::object{{"language", json_text(value.language)}, {"text", json_text(value.text)}};
  }
  json::value operator()(const core::SealedValue& value) const {
    return json::object{{"sealed_bytes", value.ciphertext.size()}};
  }
  json::value operator()(const core::Deletion& /*value*/) const { return json::object{{"deleted", true}}; }
};

const core::FormField* field_of(const core::FieldWrite& write, const core::Form* form) {
  return form == nullptr ? nullptr : form->find(write.key.field);
}

std::string value_text(const core::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return for_terminal(*text);
  if (const auto* choice = std::get_if<core::Choice>(&value)) return for_terminal(choice->code);
  if (const auto* local = std::get_if<core::LocalText>(&value))
    return for_terminal(local->language) + ": " + for_terminal(local->text);
  if (const auto* file = std::get_if<core::Attachment>(&value))
    return for_terminal(file->name) + ", " + std::to_string(file->file.size) + " bytes, " + file->file.id.hex();
  if (const auto* instant = std::get_if<core::Instant>(&value)) return instant_text(*instant);
  if (const auto* date = std::get_if<core::Date>(&value))
    return instant_text({std::int64_t{date->days} * 24 * 3600 * 1000}).substr(0, 10);
  if (std::holds_alternative<core::Empty>(value)) return "(emptied)";
  if (std::holds_alternative<core::Deletion>(value)) return "(deleted)";
  return json::serialize(std::visit(ToJson(), value));
}

}  // namespace

std::string for_terminal(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(bytes, 1));
    const bool is_plain = bytes > 0 && character != "\n" && character != "\t" && !turns_text(character);
    shown += is_plain ? std::string(character) : escaped(character);
    text.remove_prefix(character.size());
  }
  return shown;
}

json::string json_text(std::string_view text) {
  return json::string(core::count_characters(text) ? std::string(text) : for_terminal(text));
}

json::object operation_json(const core::Operation& operation, const core::Form* form) {
  json::array writes;
  for (const core::FieldWrite& write : operation.writes) {
    json::object object{{"field", write.key.field}};
    if (const core::FormField* field = field_of(write, form)) object["name"] = field->name;
    if (!write.key.item.is_none()) object["item"] = write.key.item.hex();
    object["value"] = std::visit(ToJson(), write.value);
    object["replaces"] = write.replaces.size();
    writes.push_back(std::move(object));
  }
  return {{"record", operation.record.hex()},
          {"scope", operation.scope.hex()},
          {"form", json_text(operation.form)},
          {"kind", operation.kind == core::OperationKind::finalise ? "finalise" : "edit"},
          {"by_machine", operation.origin == core::OperationOrigin::machine},
          {"claimed_ms", operation.claimed.ms},
          {"writes", std::move(writes)}};
}

void print_writes(std::ostream& out, const core::Operation& operation, const core::Form* form) {
  for (const core::FieldWrite& write : operation.writes) {
    const core::FormField* field = field_of(write, form);
    const std::string name = field == nullptr ? "field " + std::to_string(write.key.field)
                                              : std::string(core::label_in(field->labels, "en", field->name));
    out << "  " << name;
    if (!write.key.item.is_none()) out << " (item " << write.key.item.hex().substr(0, 8) << ")";
    out << ": " << value_text(write.value) << "\n";
  }
}

}  // namespace fieldsync::server
