// tls_context.h: the server's key and certificate, and what of TLS it speaks: Mozilla's modern profile,
// TLS 1.3 alone, without tickets and early data.
//
// Any client's certificate is let in: the handshake proves its key, and the key is what enrolment knows.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "core/result.h"

namespace fieldsync::server {

// Each stream holds the one that it was made with.
using TlsContext = std::shared_ptr<SSL_CTX>;

// invalid_argument: they cannot be read, or do not belong together.
[[nodiscard]] Result<TlsContext> make_tls_context(const std::string& private_key_pem,
                                                  const std::string& certificate_pem);

}  // namespace fieldsync::server
