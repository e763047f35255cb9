// logged_handlers.h: the router as the HTTP server wants it: nothing is thrown, and the log gets
// each request with its outcome.
#pragma once

#include "app/event_log.h"
#include "handlers/router.h"
#include "http/http_server.h"

namespace fieldsync::server {

// `router` and `log` outlive them.
[[nodiscard]] HttpHandlers logged_handlers(Router& router, EventLog& log);

}  // namespace fieldsync::server
