// certificate_flaw.h: what is wrong with the certificate of a server that has proven the right key.
#pragma once

#include <cstdint>

namespace fieldsync {

// Worth telling the office, and no reason to end a sync: the key is the server's identity, and who has it can make any
// certificate for it. Dates are judged by this device's clock, which may be what is wrong.
enum class CertificateFlaw : std::uint8_t { none, ended, not_begun, other_name };

}  // namespace fieldsync
