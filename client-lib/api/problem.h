// problem.h: what a server's refusal means here.
#pragma once

#include "core/result.h"
#include "engine/transport.h"

namespace fieldsync::api {

// Pre: the reply is not the protobuf that was asked for.
[[nodiscard]] Error error_of(const engine::HttpReply& reply);

}  // namespace fieldsync::api
