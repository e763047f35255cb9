// environment.h: what a device has around it: clocks, chance, keys, a network.
// The library never reaches for them; who opens a store passes them in.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/time.h"
#include "engine/transport.h"
#include "tls/key_pair.h"
#include "transport/https_transport.h"

namespace fieldsync::api {

struct Environment {
  // Milliseconds since 1970 of this device's clock: a claim, nothing more.
  std::function<core::Instant()> wall_clock;
  // Never goes back; measures how long something took.
  std::function<core::Milliseconds()> steady_clock;
  // From 0 to 1: which part of its upper bound a pause takes.
  std::function<double()> jitter;
  // Bytes that are free where this file lies; nothing where it is not known.
  std::function<std::optional<std::uint64_t>(const std::string& file)> free_space;
  std::function<tls::KeyPair()> make_key;
  std::function<std::unique_ptr<engine::Transport>(const transport::HttpsSettings&)> connect;
};

// The machine's own. Ids and one-time numbers come from libsodium everywhere.
[[nodiscard]] Environment real_environment();

}  // namespace fieldsync::api
