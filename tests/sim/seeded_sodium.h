// seeded_sodium.h: libsodium's random bytes from a seed, so that ids and codes
// are the same in every run of it.
#pragma once

#include <cstdint>

namespace fieldsync::sim {

// Call it before anything else touches libsodium; each call begins anew.
void seed_sodium(std::uint64_t seed);

}  // namespace fieldsync::sim
