// descriptor_limit.h: how many connections fit beside the files that a server opens, so that it never runs
// out of descriptors for its database because of them.
#pragma once

#include <cstddef>

#include "core/result.h"

namespace fieldsync::server {

// Raises the process's limit as far as it may. `connections_max`, or fewer where that limit leaves room for
// fewer. invalid_argument: for none.
[[nodiscard]] Result<std::size_t> connections_that_fit(std::size_t connections_max, std::size_t blocking_threads);

}  // namespace fieldsync::server
