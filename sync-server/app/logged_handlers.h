// logged_handlers.h: the router as the HTTP server wants it: nothing is thrown, and the log gets
// each request with its outcome: never content, names, keys or codes.
#pragma once

#include "handlers/router.h"
#include "http/http_server.h"

namespace fieldsync::server {

// `router` outlives them.
[[nodiscard]] HttpHandlers logged_handlers(Router& router);

}  // namespace fieldsync::server
