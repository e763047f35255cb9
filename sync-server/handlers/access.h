// access.h: what a request says that it is for.
#pragma once

#include "http/message.h"
#include "service/rights.h"

namespace fieldsync::server {

// The last word of a target's query, of a device that is revoked: see proto/fieldsync/v1/sync.proto.
inline constexpr std::string_view hand_in_word = "hand_in";

// Pre: the target is one that there is.
[[nodiscard]] inline Access access_of(const Request& head) {
  return head.target.ends_with(hand_in_word) ? Access::hand_in : Access::full;
}

}  // namespace fieldsync::server
