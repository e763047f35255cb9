#include "codec/value_codec.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "codec/wire_reader.h"
#include "core/text.h"
#include "fieldsync/v1/value.pb.h"

namespace fieldsync::codec {
namespace {

using v1::Value;

Error malformed(const char* what) {
  return {Errc::malformed_operation, std::string("A value could not be read: ") + what};
}

struct ValueWriter {
  WireWriter& out;

  void operator()(const core::Empty&) const { out.number(Value::kEmptyFieldNumber, 1); }
  void operator()(const std::string& text) const { out.bytes(Value::kTextFieldNumber, text); }
  void operator()(std::int64_t number) const { out.zigzag(Value::kIntegerFieldNumber, number); }
  void operator()(double number) const { out.fixed64(Value::kNumberFieldNumber, std::bit_cast<std::uint64_t>(number)); }
  void operator()(bool flag) const { out.number(Value::kBooleanFieldNumber, flag ? 1 : 0); }
  void operator()(const core::Choice& choice) const { out.bytes(Value::kChoiceFieldNumber, choice.code); }
  void operator()(const core::Date& date) const { out.zigzag(Value::kDateFieldNumber, date.days); }
  void operator()(const core::Instant& instant) const { out.zigzag(Value::kInstantFieldNumber, instant.ms); }
  void operator()(const core::RecordId& id) const { out.bytes(Value::kReferenceFieldNumber, id.view()); }
  void operator()(const core::Attachment& attachment) const {
    const std::size_t mark = out.begin(Value::kAttachmentFieldNumber);
    out.bytes(v1::Attachment::kSha256FieldNumber, attachment.file.id.view());
    out.number_unless_0(v1::Attachment::kSizeFieldNumber, attachment.file.size);
    out.number_unless_0(v1::Attachment::kKindFieldNumber, static_cast<std::uint64_t>(attachment.kind));
    out.bytes_unless_empty(v1::Attachment::kMediaTypeFieldNumber, attachment.media_type);
    out.bytes_unless_empty(v1::Attachment::kNameFieldNumber, attachment.name);
    if (attachment.preview) {
      const std::size_t preview = out.begin(v1::Attachment::kPreviewFieldNumber);
      out.bytes(v1::AttachmentPreview::kSha256FieldNumber, attachment.preview->id.view());
      out.number_unless_0(v1::AttachmentPreview::kSizeFieldNumber, attachment.preview->size);
      out.end(preview);
    }
    out.end(mark);
  }
  void operator()(const core::Position& position) const {
    const std::size_t mark = out.begin(Value::kPositionFieldNumber);
    out.zigzag_unless_0(v1::Position::kLatitudeE7FieldNumber, position.latitude_e7);
    out.zigzag_unless_0(v1::Position::kLongitudeE7FieldNumber, position.longitude_e7);
    out.end(mark);
  }
  void operator()(const core::LocalText& local) const {
    const std::size_t mark = out.begin(Value::kLocalTextFieldNumber);
    out.bytes_unless_empty(v1::LocalText::kLanguageFieldNumber, local.language);
    out.bytes_unless_empty(v1::LocalText::kTextFieldNumber, local.text);
    out.end(mark);
  }
  void operator()(const core::SealedValue& sealed) const {
    const std::size_t mark = out.begin(Value::kSealedFieldNumber);
    out.number_unless_0(v1::SealedValue::kKeyGenerationFieldNumber, sealed.key_generation);
    out.bytes_unless_empty(v1::SealedValue::kCiphertextFieldNumber, sealed.ciphertext);
    for (const core::SealedKey& key : sealed.keys) {
      const std::size_t entry = out.begin(v1::SealedValue::kKeysFieldNumber);
      out.bytes_unless_empty(v1::SealedKey::kHolderFieldNumber, key.holder);
      out.bytes_unless_empty(v1::SealedKey::kBoxFieldNumber, key.box);
      out.end(entry);
    }
    out.end(mark);
  }
  void operator()(const core::Deletion& deletion) const {
    const std::size_t mark = out.begin(Value::kDeletionFieldNumber);
    for (const core::OperationId& seen : deletion.seen.newest)
      out.bytes(v1::Deletion::kDeviceFieldNumber, seen.device.view());
    if (!deletion.seen.newest.empty()) {
      const std::size_t counters = out.begin(v1::Deletion::kCounterFieldNumber);
      for (const core::OperationId& seen : deletion.seen.newest) out.packed(seen.counter);
      out.end(counters);
    }
    out.end(mark);
  }
};

bool fits_32_bits(std::int64_t number) {
  return number >= std::numeric_limits<std::int32_t>::min() && number <= std::numeric_limits<std::int32_t>::max();
}

// Reads the sub-message by handing each of its fields to `take`, which says whether it is in order.
template <typename Take>
Result<void> read_fields(std::string_view bytes, const char* what, Take take) {
  WireReader reader(bytes);
  while (reader.next()) {
    if (!take(reader)) return malformed(what);
  }
  if (reader.failed()) return malformed(what);
  return {};
}

Result<core::Value> read_position(std::string_view bytes) {
  core::Position position;
  const auto read = read_fields(bytes, "a position is not as it should be.", [&](WireReader& field) {
    const bool latitude = field.field() == v1::Position::kLatitudeE7FieldNumber;
    if (!latitude && field.field() != v1::Position::kLongitudeE7FieldNumber) return false;
    if (!field.once_not_default(WireType::varint) || !fits_32_bits(field.zigzag())) return false;
    (latitude ? position.latitude_e7 : position.longitude_e7) = static_cast<std::int32_t>(field.zigzag());
    return true;
  });
  if (!read) return read.error();
  return core::Value(position);
}

Result<core::Value> read_local_text(std::string_view bytes) {
  core::LocalText local;
  const auto read = read_fields(bytes, "a text with its language is not as it should be.", [&](WireReader& field) {
    const bool language = field.field() == v1::LocalText::kLanguageFieldNumber;
    if (!language && field.field() != v1::LocalText::kTextFieldNumber) return false;
    if (!field.once_not_default(WireType::bytes)) return false;
    (language ? local.language : local.text) = field.bytes();
    return true;
  });
  if (!read) return read.error();
  return core::Value(std::move(local));
}

Result<core::SealedKey> read_sealed_key(std::string_view bytes) {
  core::SealedKey key;
  const auto read = read_fields(bytes, "a sealed key is not as it should be.", [&](WireReader& field) {
    const bool holder = field.field() == v1::SealedKey::kHolderFieldNumber;
    if (!holder && field.field() != v1::SealedKey::kBoxFieldNumber) return false;
    if (!field.once_not_default(WireType::bytes)) return false;
    (holder ? key.holder : key.box) = field.bytes();
    return true;
  });
  if (!read) return read.error();
  return key;
}

Result<core::Value> read_sealed(std::string_view bytes, std::size_t& elements) {
  core::SealedValue sealed;
  const auto read = read_fields(bytes, "a sealed value is not as it should be.", [&](WireReader& field) {
    switch (field.field()) {
      case v1::SealedValue::kKeyGenerationFieldNumber:
        sealed.key_generation = static_cast<std::uint32_t>(field.number());
        return field.once_not_default(WireType::varint) && field.number() <= UINT32_MAX;
      case v1::SealedValue::kCiphertextFieldNumber:
        sealed.ciphertext = field.bytes();
        return field.once_not_default(WireType::bytes);
      case v1::SealedValue::kKeysFieldNumber: {
        ++elements;
        auto key = read_sealed_key(field.bytes());
        if (field.type() != WireType::bytes || !key) return false;
        sealed.keys.push_back(std::move(*key));
        return true;
      }
      default: return false;
    }
  });
  if (!read) return read.error();
  return core::Value(std::move(sealed));
}

Result<core::Value> read_deletion(std::string_view bytes, std::size_t& elements) {
  std::vector<core::DeviceId> devices;
  std::vector<std::uint64_t> counters;
  const auto read = read_fields(bytes, "a deletion is not as it should be.", [&](WireReader& field) {
    if (field.field() == v1::Deletion::kDeviceFieldNumber) {
      ++elements;
      const auto device = core::DeviceId::from_bytes(field.bytes());
      if (field.type() != WireType::bytes || !device) return false;
      devices.push_back(*device);
      return true;
    }
    return field.field() == v1::Deletion::kCounterFieldNumber && read_numbers(field, counters, elements);
  });
  if (!read) return read.error();
  if (devices.size() != counters.size()) return malformed("a deletion's lists differ in length.");
  core::Deletion deletion;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (i > 0 && !(devices[i - 1] < devices[i])) return malformed("a deletion's devices are not sorted.");
    deletion.seen.newest.push_back({devices[i], counters[i]});
  }
  return core::Value(std::move(deletion));
}

Result<core::Value> read_reference(std::string_view bytes) {
  const auto id = core::RecordId::from_bytes(bytes);
  if (!id) return malformed("a reference is not 16 bytes.");
  return core::Value(*id);
}

// An attachment's or a preview's hash and size, which both have in the same fields.
constexpr std::uint32_t hash_field = v1::Attachment::kSha256FieldNumber;
constexpr std::uint32_t size_field = v1::Attachment::kSizeFieldNumber;
static_assert(hash_field == v1::AttachmentPreview::kSha256FieldNumber);
static_assert(size_field == v1::AttachmentPreview::kSizeFieldNumber);

bool read_file(const WireReader& field, core::AttachmentFile& file, bool& named) {
  if (field.field() == hash_field) {
    const auto id = core::AttachmentId::from_bytes(field.bytes());
    if (!id || !field.once_not_default(WireType::bytes)) return false;
    file.id = *id;
    named = true;
    return true;
  }
  file.size = static_cast<std::uint32_t>(field.number());
  return field.field() == size_field && field.once_not_default(WireType::varint) && field.number() <= UINT32_MAX;
}

Result<core::AttachmentFile> read_preview(std::string_view bytes) {
  core::AttachmentFile preview;
  bool named = false;
  const auto read = read_fields(bytes, "a preview is not as it should be.",
                                [&](WireReader& field) { return read_file(field, preview, named); });
  if (!read) return read.error();
  if (!named) return malformed("a preview has no hash.");
  return preview;
}

Result<core::Value> read_attachment(std::string_view bytes, std::size_t& elements) {
  core::Attachment attachment;
  bool named = false;
  bool has_kind = false;
  const auto read = read_fields(bytes, "an attachment is not as it should be.", [&](WireReader& field) {
    switch (field.field()) {
      case v1::Attachment::kKindFieldNumber:
        has_kind = v1::AttachmentKind_IsValid(static_cast<int>(std::min<std::uint64_t>(field.number(), INT32_MAX)));
        attachment.kind = static_cast<core::AttachmentKind>(field.number());
        return has_kind && field.once_not_default(WireType::varint);
      case v1::Attachment::kMediaTypeFieldNumber:
        attachment.media_type = field.bytes();
        return field.once_not_default(WireType::bytes);
      case v1::Attachment::kNameFieldNumber:
        attachment.name = field.bytes();
        return field.once_not_default(WireType::bytes);
      case v1::Attachment::kPreviewFieldNumber: {
        ++elements;
        auto preview = read_preview(field.bytes());
        if (attachment.preview || field.type() != WireType::bytes || !preview) return false;
        attachment.preview = *preview;
        return true;
      }
      default: return read_file(field, attachment.file, named);
    }
  });
  if (!read) return read.error();
  if (!named || !has_kind) return malformed("an attachment has no hash or no kind.");
  return core::Value(std::move(attachment));
}

Result<core::Value> read_number_kind(const WireReader& field) {
  switch (field.field()) {
    case Value::kEmptyFieldNumber:
      if (field.number() != 1) return malformed("empty is always true.");
      return core::Value(core::Empty{});
    case Value::kBooleanFieldNumber:
      if (field.number() > 1) return malformed("a yes or no is neither.");
      return core::Value(field.number() == 1);
    case Value::kIntegerFieldNumber: return core::Value(field.zigzag());
    case Value::kInstantFieldNumber: return core::Value(core::Instant{field.zigzag()});
    case Value::kDateFieldNumber:
      if (!fits_32_bits(field.zigzag())) return malformed("a date is out of range.");
      return core::Value(core::Date{static_cast<std::int32_t>(field.zigzag())});
    default: return malformed("its kind is not known.");
  }
}

Result<core::Value> read_bytes_kind(const WireReader& field, std::size_t& elements) {
  switch (field.field()) {
    case Value::kTextFieldNumber: return core::Value(std::in_place_type<std::string>, field.bytes());
    case Value::kChoiceFieldNumber: return core::Value(core::Choice{std::string(field.bytes())});
    case Value::kReferenceFieldNumber: return read_reference(field.bytes());
    case Value::kAttachmentFieldNumber: return ++elements, read_attachment(field.bytes(), elements);
    case Value::kPositionFieldNumber: return ++elements, read_position(field.bytes());
    case Value::kLocalTextFieldNumber: return ++elements, read_local_text(field.bytes());
    case Value::kSealedFieldNumber: return ++elements, read_sealed(field.bytes(), elements);
    case Value::kDeletionFieldNumber: return ++elements, read_deletion(field.bytes(), elements);
    default: return malformed("its kind is not known.");
  }
}

}  // namespace

void write_value(WireWriter& writer, std::uint32_t field, const core::Value& value) {
  const std::size_t mark = writer.begin(field);
  std::visit(ValueWriter{writer}, value);
  writer.end(mark);
}

Result<core::Value> read_value(std::string_view bytes, std::size_t& elements) {
  WireReader reader(bytes);
  if (!reader.next()) return malformed("it has no kind.");
  const WireReader kind = reader;
  if (reader.next() || reader.failed()) return malformed("it has more than one kind.");
  switch (kind.type()) {
    case WireType::varint: return read_number_kind(kind);
    case WireType::bytes: return read_bytes_kind(kind, elements);
    case WireType::fixed64:
      if (kind.field() == Value::kNumberFieldNumber) return core::Value(std::bit_cast<double>(kind.number()));
      break;
    case WireType::fixed32: break;
  }
  return malformed("its kind is not known.");
}

bool holds_valid_text(const core::Value& value) {
  const auto valid = [](std::string_view text) { return core::count_characters(text).has_value(); };
  if (const auto* text = std::get_if<std::string>(&value)) return valid(*text);
  if (const auto* choice = std::get_if<core::Choice>(&value)) return valid(choice->code);
  if (const auto* local = std::get_if<core::LocalText>(&value)) return valid(local->language) && valid(local->text);
  if (const auto* attachment = std::get_if<core::Attachment>(&value))
    return valid(attachment->media_type) && valid(attachment->name);
  return true;
}

}  // namespace fieldsync::codec
