#include "service/enrolment.h"

#include <sodium.h>

#include <cstring>

#include "core/text.h"

namespace fieldsync::server {
namespace {

constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t code_letters = 13;
constexpr std::size_t device_name_characters_max = 64;

Sha256 sha256(std::string_view bytes) {
  Sha256 hash;
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return hash;
}

// Letters that are easily mistaken stand for the digits that they look like.
char canonical_letter(char letter) {
  if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  if (letter == 'O') return '0';
  if (letter == 'I' || letter == 'L') return '1';
  return letter;
}

// A device that lost its power or its link before the answer came asks again, with
// the same code or with a new one: it must not be stuck between a used code and an
// enrolment that it does not know of.
bool was_answered_before(const EnrolmentCodeRow& code, const std::optional<DeviceRow>& device) {
  return code.used && device && !device->revoked && device->person.id == code.person;
}

}  // namespace

std::string new_enrolment_code() {
  std::string code;
  for (std::size_t i = 0; i < code_letters; ++i) code += crockford[randombytes_uniform(32)];
  return code;
}

std::optional<Sha256> hash_enrolment_code(std::string_view typed) {
  std::string code;
  for (const char typed_letter : typed) {
    if (typed_letter == ' ' || typed_letter == '-') continue;
    const char letter = canonical_letter(typed_letter);
    if (crockford.find(letter) == std::string_view::npos) return std::nullopt;
    code += letter;
  }
  if (code.size() != code_letters) return std::nullopt;
  return sha256("fieldsync enrolment code v1:" + code);
}

core::DeviceId device_id_of(std::string_view public_key) {
  const Sha256 hash = sha256(public_key);
  core::DeviceId id;
  std::memcpy(id.bytes.data(), hash.data(), id.bytes.size());
  return id;
}

Result<v1::EnrolReply> enrol(Store& store, const AuditLog& log, const v1::EnrolRequest& request,
                             std::string_view public_key, const Clock& clock) {
  if (request.protocol_version() != protocol_version) return Error{Errc::unsupported_protocol_version, {}};
  const auto characters = core::count_characters(request.device_name());
  if (!characters || *characters == 0 || *characters > device_name_characters_max) {
    return Error{Errc::invalid_text, "The device's name must have 1 to 64 characters."};
  }
  const auto hash = hash_enrolment_code(request.code());
  if (!hash) return Error{Errc::enrolment_code_invalid, {}};
  v1::EnrolReply reply;
  const auto done = store.write([&](WriteTransaction& transaction) -> Result<void> {
    const auto code = transaction.enrolment_code(*hash);
    auto stored = transaction.device_by_id(device_id_of(public_key));
    if (!code || !was_answered_before(*code, stored)) {
      if (!code || code->used || code->expires < clock()) return Error{Errc::enrolment_code_invalid, {}};
      if (stored && stored->revoked) return Error{Errc::device_revoked, {}};
      if (stored && stored->person.id != code->person) return Error{Errc::device_already_enrolled, {}};
      if (!stored) {
        DeviceRow device;
        device.id = device_id_of(public_key);
        device.public_key = public_key;
        device.name = request.device_name();
        device.enrolled = clock();
        device.person.id = code->person;
        transaction.add_device(device);
        stored = transaction.device_by_id(device.id);
        log.note_enrolment(transaction, device);
      }
      transaction.use_enrolment_code(*hash);
    }
    FIELDSYNC_CHECK(stored.has_value(), "a code's person exists");
    reply.set_device(stored->id.view().data(), core::DeviceId::size);
    reply.mutable_person()->set_id(stored->person.id.view().data(), core::PersonId::size);
    reply.mutable_person()->set_name(stored->person.name);
    reply.set_log_key(log.public_key().data(), log.public_key().size());
    return {};
  });
  if (!done) return done.error();
  return reply;
}

}  // namespace fieldsync::server
