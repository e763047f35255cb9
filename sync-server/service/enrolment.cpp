#include "service/enrolment.h"

#include <sodium.h>

#include <cstring>

#include "audit/merkle.h"
#include "core/text.h"

namespace fieldsync::server {
namespace {

constexpr std::string_view crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t device_name_characters_max = 64;

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

std::optional<ReadCode> read_enrolment_code(std::string_view typed) {
  std::string code;
  for (const char typed_letter : typed) {
    if (typed_letter == ' ' || typed_letter == '-') continue;
    const char letter = canonical_letter(typed_letter);
    if (crockford.find(letter) == std::string_view::npos) return std::nullopt;
    code += letter;
  }
  if (code.size() != code_letters) return std::nullopt;
  return ReadCode{code.substr(0, code_id_letters), audit::sha256("fieldsync enrolment code v2:" + code)};
}

std::string add_enrolment_code(WriteTransaction& transaction, const core::PersonId& person, core::Instant expires) {
  while (true) {
    const std::string code = new_enrolment_code();
    const auto read = read_enrolment_code(code);
    if (transaction.enrolment_code(read->id)) continue;
    transaction.add_enrolment_code({read->id, read->hash, person, expires});
    return code;
  }
}

core::DeviceId device_id_of(std::string_view public_key) {
  const Sha256 hash = audit::sha256(public_key);
  core::DeviceId id;
  std::memcpy(id.bytes.data(), hash.data(), id.bytes.size());
  return id;
}

namespace {

// What a try came to. Not an error of the transaction, which keeps that there was one.
enum class Verdict : std::uint8_t { enrolled, invalid, guessed, locked };

struct Try {
  ReadCode code;
  std::string_view public_key;
  const std::string& device_name;
  core::Instant now;
};

Result<Verdict> redeem(WriteTransaction& transaction, const AuditLog& log, const Try& attempt,
                       std::optional<DeviceRow>& device) {
  const ReadCode& typed = attempt.code;
  const auto code = transaction.enrolment_code(typed.id);
  device = transaction.device_by_id(device_id_of(attempt.public_key));
  // Compared with something in any case, for the time it takes.
  const Sha256 expected = code ? code->hash : Sha256{};
  const bool is_right = sodium_memcmp(expected.data(), typed.hash.data(), expected.size()) == 0 && code;
  if (is_right && was_answered_before(*code, device)) return Verdict::enrolled;
  if (transaction.wrong_tries(typed.id) >= wrong_tries_per_code_max) return Verdict::locked;
  const bool is_open = is_right && !code->used && !code->withdrawn && code->expires >= attempt.now;
  if (!is_open) {
    // Who has the whole code does not guess. What is written costs the same disk time as a guess.
    transaction.add_wrong_tries(typed.id, is_right ? 0 : 1);
    return is_right ? Verdict::invalid : Verdict::guessed;
  }
  if (device && device->revoked) return Error{Errc::device_revoked, {}};
  if (device && device->person.id != code->person) return Error{Errc::device_already_enrolled, {}};
  if (!device) {
    DeviceRow row;
    row.id = device_id_of(attempt.public_key);
    row.public_key = attempt.public_key;
    row.name = attempt.device_name;
    row.enrolled = attempt.now;
    row.person.id = code->person;
    transaction.add_device(row);
    log.note_enrolment(transaction, row);
    device = transaction.device_by_id(row.id);
  } else {
    log.note_act(transaction, {"code_used_again", {std::string(device->id.view())}, typed.id});
  }
  transaction.use_enrolment_code(typed.id);
  return Verdict::enrolled;
}

}  // namespace

Result<v1::EnrolReply> Enrolment::enrol(const v1::EnrolRequest& request, std::string_view public_key,
                                        std::string_view address) {
  if (request.protocol_version() != protocol_version) return Error{Errc::unsupported_protocol_version, {}};
  const auto characters = core::count_characters(request.device_name());
  if (!characters || *characters == 0 || *characters > device_name_characters_max) {
    return Error{Errc::invalid_text, "The device's name must have 1 to 64 characters."};
  }
  const auto code = read_enrolment_code(request.code());
  if (!code) {
    return Error{Errc::malformed_request, "An enrolment code has " + std::to_string(code_letters) +
                                              " letters and digits, without U. Copy it whole."};
  }
  const core::Instant now = clock_();
  if (limit_.is_reached(address, now)) return Error{Errc::too_many_attempts, {}};
  std::optional<DeviceRow> device;
  Verdict verdict = Verdict::invalid;
  const auto done = store_.write([&](WriteTransaction& transaction) -> Result<void> {
    const auto redeemed = redeem(transaction, log_, {*code, public_key, request.device_name(), now}, device);
    if (redeemed) verdict = *redeemed;
    return redeemed ? Result<void>() : redeemed.error();
  });
  if (!done) return done.error();
  if (verdict == Verdict::guessed) limit_.note_wrong(address, now);
  if (verdict == Verdict::locked) return Error{Errc::too_many_attempts, {}};
  if (verdict != Verdict::enrolled) return Error{Errc::enrolment_code_invalid, {}};
  FIELDSYNC_CHECK(device.has_value(), "a code's person exists");
  v1::EnrolReply reply;
  reply.set_device(device->id.view().data(), core::DeviceId::size);
  reply.mutable_person()->set_id(device->person.id.view().data(), core::PersonId::size);
  reply.mutable_person()->set_name(device->person.name);
  reply.set_log_key(log_.public_key().data(), log_.public_key().size());
  return reply;
}

}  // namespace fieldsync::server
