// seeded_key.h: a device's key from a seed: OpenSSL's own generator cannot be
// made to repeat itself.
#pragma once

#include <array>
#include <cstdint>

#include "tls/key_pair.h"

namespace fieldsync::sim {

[[nodiscard]] tls::KeyPair make_seeded_key(const std::array<std::uint8_t, 32>& seed);

}  // namespace fieldsync::sim
