// whole_response.h: an answer as the HTTP layer would send it, for callers without one.
#pragma once

#include "http/message.h"

namespace fieldsync::testing {

// Its body comes from its source. Shorter than was promised where that failed.
inline server::Response whole(server::Response response) {
  if (response.source == nullptr) return response;
  while (response.body.size() < response.source->size()) {
    const auto piece = response.source->read();
    if (!piece || piece->empty()) break;
    response.body += *piece;
  }
  response.source.reset();
  return response;
}

}  // namespace fieldsync::testing
