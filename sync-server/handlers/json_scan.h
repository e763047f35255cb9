// json_scan.h: looks at JSON before protobuf's parser does, which makes 28 MB of 256 KiB of brackets. It only
// counts: what is no JSON the parser refuses.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/result.h"

namespace fieldsync::server {

// Twice the depth that a message may have: each of its lists is another bracket.
inline constexpr std::size_t json_depth_max = 32;
// As many as a message in protobuf may have.
inline constexpr std::size_t json_elements_max = 60'000;

// malformed_request: brackets nest too deeply, or a single quote stands where a string begins. too_many_elements: of
// objects, lists and values.
[[nodiscard]] Result<void> scan_json(std::string_view text);

}  // namespace fieldsync::server
