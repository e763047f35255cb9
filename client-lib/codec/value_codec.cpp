#include "codec/value_codec.h"

#include <cstring>

namespace fieldsync::codec {
namespace {

Error malformed(const char* what) { return {Errc::malformed_operation, std::string("A value could not be read: ") + what}; }

struct Encoder {
  v1::Value& wire;

  void operator()(const core::Empty&) const { wire.set_empty(true); }
  void operator()(const std::string& text) const { wire.set_text(text); }
  void operator()(std::int64_t number) const { wire.set_integer(number); }
  void operator()(double number) const { wire.set_number(number); }
  void operator()(bool flag) const { wire.set_boolean(flag); }
  void operator()(const core::Choice& choice) const { wire.set_choice(choice.code); }
  void operator()(const core::Date& date) const { wire.set_date(date.days); }
  void operator()(const core::Instant& instant) const { wire.set_instant(instant.ms); }
  void operator()(const core::RecordId& id) const { wire.set_reference(id.view().data(), id.size); }
  void operator()(const core::Position& position) const {
    wire.mutable_position()->set_latitude_e7(position.latitude_e7);
    wire.mutable_position()->set_longitude_e7(position.longitude_e7);
  }
  void operator()(const core::AttachmentId& id) const { wire.set_attachment(id.sha256.data(), id.sha256.size()); }
  void operator()(const core::LocalText& local) const {
    wire.mutable_local_text()->set_language(local.language);
    wire.mutable_local_text()->set_text(local.text);
  }
  void operator()(const core::SealedValue& sealed) const {
    v1::SealedValue& out = *wire.mutable_sealed();
    out.set_key_generation(sealed.key_generation);
    out.set_ciphertext(sealed.ciphertext);
    for (const core::SealedKey& key : sealed.keys) {
      v1::SealedKey& entry = *out.add_keys();
      entry.set_holder(key.holder);
      entry.set_box(key.box);
    }
  }
  void operator()(const core::Deletion& deletion) const {
    v1::Deletion& out = *wire.mutable_deletion();
    for (const core::OperationId& entry : deletion.seen.newest) {
      out.add_device(entry.device.view().data(), entry.device.size);
      out.add_counter(entry.counter);
    }
  }
};

Result<core::Value> decode_deletion(const v1::Deletion& wire) {
  if (wire.device_size() != wire.counter_size()) return malformed("a deletion's lists differ in length.");
  core::Deletion deletion;
  for (int i = 0; i < wire.device_size(); ++i) {
    const auto device = core::DeviceId::from_bytes(wire.device(i));
    if (!device) return malformed("a device id is not 16 bytes.");
    if (!deletion.seen.newest.empty() && !(deletion.seen.newest.back().device < *device)) {
      return malformed("a deletion's devices are not sorted.");
    }
    deletion.seen.newest.push_back({*device, wire.counter(i)});
  }
  return core::Value(std::move(deletion));
}

core::Value decode_sealed(const v1::SealedValue& wire) {
  core::SealedValue sealed{wire.key_generation(), wire.ciphertext(), {}};
  for (const v1::SealedKey& key : wire.keys()) sealed.keys.push_back({key.holder(), key.box()});
  return sealed;
}

}  // namespace

void encode_value(const core::Value& value, v1::Value& wire) { std::visit(Encoder{wire}, value); }

Result<core::Value> decode_value(const v1::Value& wire) {
  switch (wire.kind_case()) {
    case v1::Value::kEmpty:
      if (!wire.empty()) return malformed("empty is always true.");
      return core::Value(core::Empty{});
    case v1::Value::kText: return core::Value(wire.text());
    case v1::Value::kInteger: return core::Value(std::int64_t{wire.integer()});
    case v1::Value::kNumber: return core::Value(wire.number());
    case v1::Value::kBoolean: return core::Value(wire.boolean());
    case v1::Value::kChoice: return core::Value(core::Choice{wire.choice()});
    case v1::Value::kDate: return core::Value(core::Date{wire.date()});
    case v1::Value::kInstant: return core::Value(core::Instant{wire.instant()});
    case v1::Value::kReference: {
      const auto id = core::RecordId::from_bytes(wire.reference());
      if (!id) return malformed("a reference is not 16 bytes.");
      return core::Value(*id);
    }
    case v1::Value::kPosition:
      return core::Value(core::Position{wire.position().latitude_e7(), wire.position().longitude_e7()});
    case v1::Value::kAttachment: {
      core::AttachmentId id;
      if (wire.attachment().size() != id.sha256.size()) return malformed("an attachment's id is not 32 bytes.");
      std::memcpy(id.sha256.data(), wire.attachment().data(), id.sha256.size());
      return core::Value(id);
    }
    case v1::Value::kLocalText: return core::Value(core::LocalText{wire.local_text().language(), wire.local_text().text()});
    case v1::Value::kSealed: return decode_sealed(wire.sealed());
    case v1::Value::kDeletion: return decode_deletion(wire.deletion());
    case v1::Value::KIND_NOT_SET: break;
  }
  return malformed("it has no kind.");
}

}  // namespace fieldsync::codec
