// wire_scan.h: looks at protobuf bytes before they are parsed, because 2 MiB of
// them can become 260 MB of memory (measured on protobuf 3.21).
#pragma once

#include <cstddef>
#include <string_view>

#include "core/result.h"

namespace google::protobuf {
class Descriptor;
}

namespace fieldsync::codec {

struct WireLimits {
  std::size_t elements_max;  // sub-messages, strings and repeated scalars
  int depth_max;
};

// A request as a whole (ARCHITECTURE.md, Limits).
inline constexpr WireLimits request_limits{60'000, 16};

// Walks `bytes` as a message of `type`. Refuses truncation, varints of more than 64 bits,
// groups, unknown fields and wire types, more elements (too_many_elements) and more depth
// (malformed_request) than `limits` allow. Adds what it counted to `elements`.
[[nodiscard]] Result<void> scan_message(std::string_view bytes, const google::protobuf::Descriptor& type,
                                        const WireLimits& limits, std::size_t& elements);

}  // namespace fieldsync::codec
