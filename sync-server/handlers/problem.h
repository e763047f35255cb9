// problem.h: every refusal as a problem document: RFC 9457 in JSON, or its
// protobuf twin. Never a path, a query, a version or a stack.
#pragma once

#include "core/result.h"
#include "http/message.h"

namespace fieldsync::server {

[[nodiscard]] Response problem_response(const Error& error, const Request& request);

// `allow`: the methods that the address takes.
[[nodiscard]] Response method_not_allowed(const std::string& allow, const Request& request);

// Whether the caller asked for JSON.
[[nodiscard]] bool wants_json(const Request& request);

}  // namespace fieldsync::server
