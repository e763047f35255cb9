// certificate_commands.h: what administrators do with the server's certificate.
#pragma once

#include "app/commands.h"
#include "http/http_server.h"

namespace fieldsync::server {

// Has `server` use the key and the certificate that are in its folder now. Where they cannot be read, or do not
// belong together, it goes on with those that it has.
[[nodiscard]] Result<void> use_certificate_of(const Configuration& configuration, HttpServer& server);

// The command. invalid_argument: no server runs.
[[nodiscard]] Result<void> reload_certificate(Administration& admin);

// The command: new certificates for the same keys, for 90 days and the host of public_address; a server that runs shows
// its own at once.
[[nodiscard]] Result<void> renew_certificates(Administration& admin);

}  // namespace fieldsync::server
