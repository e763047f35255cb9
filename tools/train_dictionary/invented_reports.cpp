#include "train_dictionary/invented_reports.h"

#include "codec/operation_codec.h"
#include "codec/record_codec.h"

namespace fieldsync::training {
namespace {

constexpr std::uint64_t facilities = 50, items_max = 4, set_values_max = 3;
// Texts of up to so many characters are names and numbers, not narrative.
constexpr std::uint32_t short_text_characters = 250;
// The years 2025 to 2030.
constexpr std::uint64_t first_day = 20'089, days = 6 * 365, ms_per_day = 86'400'000;

bool is_secret(const core::FormField& field) {
  return field.confidentiality == core::Confidentiality::sealed ||
         field.confidentiality == core::Confidentiality::safety;
}

bool holds_several(const core::FormField& field) {
  return field.policy == core::MergePolicy::set || field.policy == core::MergePolicy::append;
}

std::string first_characters(const std::string& text, std::uint32_t characters) {
  std::size_t at = 0;
  while (at < text.size()) {
    const bool continued = (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
    if (!continued && characters-- == 0) break;
    ++at;
  }
  return text.substr(0, at);
}

}  // namespace

InventedReports::InventedReports(std::vector<core::Form> forms, const Narrative& narrative, std::uint64_t seed)
    : forms_(std::move(forms)), narrative_(narrative), random_(seed) {
  for (std::uint64_t i = 0; i < facilities; ++i) facilities_.push_back(random_.id<core::RecordId>());
}

std::string InventedReports::batch(std::size_t operations) {
  const core::Form& form = forms_[random_.below(forms_.size())];
  scope_ = random_.id<core::ScopeId>();
  last_ = {random_.id<core::DeviceId>(), random_.below(5'000)};
  std::string list;
  core::Operation earlier = new_record(form);
  for (std::size_t i = 0; i < operations; ++i) {
    const bool edit = random_.percent(15);
    const core::Operation operation = edit ? edit_of(earlier, form) : new_record(form);
    codec::append_to_list(list, codec::encode_operation(operation));
    if (!edit) earlier = operation;
  }
  return list;
}

std::string InventedReports::body() {
  const core::Operation operation = new_record(forms_[random_.below(forms_.size())]);
  core::RecordState state;
  state.apply(operation, {});
  return codec::encode_body(state);
}

core::Operation InventedReports::new_record(const core::Form& form) {
  core::Operation operation;
  ++last_.counter;
  operation.id = last_;
  operation.record = random_.id<core::RecordId>();
  operation.scope = scope_;
  operation.form = form.name;
  operation.claimed = {
      static_cast<std::int64_t>((first_day + random_.below(days)) * ms_per_day + random_.below(ms_per_day))};
  for (const core::FormField& field : form.fields) {
    if (field.group != 0 || is_secret(field) || (!field.required && random_.percent(40))) continue;
    if (field.type != core::FieldType::group) {
      write_field(field, {}, operation);
      continue;
    }
    for (std::uint64_t items = random_.below(items_max); items > 0; --items) write_item(form, field, operation);
  }
  return operation;
}

core::Operation InventedReports::edit_of(const core::Operation& earlier, const core::Form& form) {
  core::Operation operation = new_record(form);
  operation.record = earlier.record;
  core::FieldWrite write = earlier.writes[random_.below(earlier.writes.size())];
  write.value = value_of(*form.find(write.key.field));
  write.replaces = {{earlier.id, 0}};
  operation.writes = {write};
  return operation;
}

void InventedReports::write_item(const core::Form& form, const core::FormField& group, core::Operation& operation) {
  const auto item = random_.id<core::ItemId>();
  for (const core::FormField& field : form.fields) {
    if (field.group == group.number && !is_secret(field) && random_.percent(80)) write_field(field, item, operation);
  }
}

void InventedReports::write_field(const core::FormField& field, const core::ItemId& item, core::Operation& operation) {
  const std::uint64_t values = holds_several(field) ? 1 + random_.below(set_values_max) : 1;
  for (std::uint64_t i = 0; i < values; ++i) operation.writes.push_back({{item, field.number}, value_of(field), {}});
}

core::Value InventedReports::value_of(const core::FormField& field) {
  switch (field.type) {
    case core::FieldType::integer: return static_cast<std::int64_t>(random_.below(200));
    case core::FieldType::number: return static_cast<double>(random_.below(1'000)) / 10;
    case core::FieldType::boolean: return random_.percent(50);
    case core::FieldType::choice: return core::Choice{field.choices[random_.below(field.choices.size())].code};
    case core::FieldType::date: return core::Date{static_cast<std::int32_t>(first_day + random_.below(days))};
    case core::FieldType::instant:
      return core::Instant{static_cast<std::int64_t>((first_day + random_.below(days)) * ms_per_day)};
    case core::FieldType::reference: return facilities_[random_.below(facilities_.size())];
    // Between 39 and 42 degrees north, 69 and 76 degrees east.
    case core::FieldType::position:
      return core::Position{static_cast<std::int32_t>(390'000'000 + random_.below(30'000'000)),
                            static_cast<std::int32_t>(690'000'000 + random_.below(70'000'000))};
    case core::FieldType::attachment: {
      core::Attachment photo;
      for (auto& byte : photo.file.id.sha256) byte = static_cast<std::uint8_t>(random_.below(256));
      photo.file.size = static_cast<std::uint32_t>(1 + random_.below(4'000'000));
      photo.kind = core::AttachmentKind::photo;
      photo.media_type = "image/jpeg";
      photo.name = "IMG_" + std::to_string(random_.below(10'000)) + ".jpg";
      photo.preview.emplace();
      for (auto& byte : photo.preview->id.sha256) byte = static_cast<std::uint8_t>(random_.below(256));
      photo.preview->size = static_cast<std::uint32_t>(1 + random_.below(30'000));
      return photo;
    }
    case core::FieldType::local_text: {
      const std::size_t language = random_.below(languages.size());
      return core::LocalText{languages[language], narrative_.paragraph(language, random_)};
    }
    case core::FieldType::text:
    case core::FieldType::group: break;
  }
  return text_of(field);
}

std::string InventedReports::text_of(const core::FormField& field) {
  const std::size_t language = random_.below(languages.size());
  const std::uint32_t most = field.maximum_characters;
  if (most == 0 || most > short_text_characters) return narrative_.paragraph(language, random_);
  // Codes and numbers, then names.
  if (most <= 64 || random_.percent(30))
    return std::to_string(random_.below(9'000)) + "-" + std::to_string(2025 + random_.below(6));
  return first_characters(narrative_.sentence(language, random_), most);
}

}  // namespace fieldsync::training
