// crowd.h: many connections that have served a request and wait.
#pragma once

#include <memory>
#include <vector>

#include "load/server_process.h"

namespace fieldsync::load {

using Crowd = std::vector<std::unique_ptr<TlsClient>>;

// From addresses of which each has no more than the server lets strangers have by default.
[[nodiscard]] int source_of(std::size_t number);
// Two threads open them. Throws std::runtime_error where the server does not serve one.
[[nodiscard]] Crowd open_crowd(const ServerProcess& server, std::size_t count);
// Lets each ask once more, so that it idles anew. How many were not answered.
[[nodiscard]] std::size_t stir(const Crowd& crowd);
// As many descriptors as this process and what it starts may have.
void raise_descriptor_limit();

}  // namespace fieldsync::load
