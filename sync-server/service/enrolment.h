// enrolment.h: one-time codes that bind a device's key to a person.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "fieldsync/v1/enrol.pb.h"
#include "service/sync_service.h"
#include "store/store.h"

namespace fieldsync::server {

inline constexpr std::int64_t code_lifetime_ms_default = 24 * 3600 * 1000LL;

// 13 letters of Crockford's base 32: 65 random bits.
[[nodiscard]] std::string new_enrolment_code();
// SHA-256 of the code's canonical letters; nothing where it is not a code.
[[nodiscard]] std::optional<Sha256> hash_enrolment_code(std::string_view typed);

// The device's id: the first 16 bytes of SHA-256 of its key.
[[nodiscard]] core::DeviceId device_id_of(std::string_view public_key);

// Redeems a code, in one transaction, exactly once. `public_key`: Ed25519, as proven by
// the TLS handshake. A device that is enrolled already gets the same answer again, with
// the code that enrolled it or with a new one for its person, which is used up like
// any other: the first answer may have been lost. It keeps its name.
// enrolment_code_invalid: wrong, used or expired, which look the same.
// device_already_enrolled: for another person. device_revoked. Then nothing was
// changed, and the code stays good.
[[nodiscard]] Result<v1::EnrolReply> enrol(Store& store, const AuditLog& log, const v1::EnrolRequest& request,
                                           std::string_view public_key, const Clock& clock);

}  // namespace fieldsync::server
