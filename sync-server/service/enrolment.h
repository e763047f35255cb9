// enrolment.h: one-time codes that bind a device's key to a person.
//
// A code is 17 letters of Crockford's base 32: four name it, so that wrong tries can be counted
// for it, and 13 are secret, 65 random bits.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "fieldsync/v1/enrol.pb.h"
#include "service/guess_limit.h"
#include "service/sync_service.h"
#include "store/store.h"

namespace fieldsync::server {

inline constexpr std::int64_t code_lifetime_ms_default = 24 * 3600 * 1000LL;
inline constexpr std::size_t code_id_letters = 4;
inline constexpr std::size_t code_letters = code_id_letters + 13;
// After so many wrong tries a code is locked for good.
inline constexpr std::uint32_t wrong_tries_per_code_max = 5;

// A code as it is kept.
struct ReadCode {
  std::string id;  // its first letters
  Sha256 hash{};   // of its canonical letters
};

[[nodiscard]] std::string new_enrolment_code();
// Nothing where it is not a code.
[[nodiscard]] std::optional<ReadCode> read_enrolment_code(std::string_view typed);

// A new code for the person, with a name that no other has.
[[nodiscard]] std::string add_enrolment_code(WriteTransaction& transaction, const core::PersonId& person,
                                             core::Instant expires);

// The device's id: the first 16 bytes of SHA-256 of its key.
[[nodiscard]] core::DeviceId device_id_of(std::string_view public_key);

// Threads: any.
class Enrolment {
 public:
  // `store` outlives it.
  Enrolment(Store& store, AuditLog log, Clock clock) : store_(store), log_(std::move(log)), clock_(std::move(clock)) {}

  // Redeems a code, in one transaction, exactly once. `public_key`: Ed25519, as proven by
  // the TLS handshake; `address`: whose wrong tries are counted together. A device that is
  // enrolled already gets the same answer again, with the code that enrolled it or with a new
  // one for its person, which is used up like any other: the first answer may have been lost.
  // It keeps its name.
  // enrolment_code_invalid: wrong, used, expired or withdrawn, which look the same and take the
  // same time. too_many_attempts: for this code, whether there is one or not, or of this address.
  // malformed_request: it has not the form of a code.
  // device_already_enrolled: for another person. device_revoked. Then nothing was
  // changed, and the code stays good.
  [[nodiscard]] Result<v1::EnrolReply> enrol(const v1::EnrolRequest& request, std::string_view public_key,
                                             std::string_view address);

 private:
  Store& store_;
  AuditLog log_;
  Clock clock_;
  GuessLimit limit_;
};

}  // namespace fieldsync::server
