#include "sim/seeded_sodium.h"

#include <sodium.h>

#include <cstring>

#include "core/check.h"
#include "sim/chance.h"

namespace fieldsync::sim {
namespace {

// libsodium's interface has no place for a context.
Chance& source() {
  static Chance chance(0);
  return chance;
}

const char* name() { return "seeded"; }
std::uint32_t random32() { return static_cast<std::uint32_t>(source().next()); }
void fill(void* const buffer, const std::size_t size) {
  auto* bytes = static_cast<unsigned char*>(buffer);
  for (std::size_t i = 0; i < size; i += 8) {
    const std::uint64_t word = source().next();
    std::memcpy(bytes + i, &word, size - i < 8 ? size - i : 8);
  }
}

randombytes_implementation implementation = {name, random32, nullptr, nullptr, fill, nullptr};

}  // namespace

void seed_sodium(std::uint64_t seed) {
  randombytes_set_implementation(&implementation);
  FIELDSYNC_CHECK(sodium_init() >= 0, "libsodium starts");
  // Its first start in a process draws numbers for itself.
  source() = Chance(seed);
}

}  // namespace fieldsync::sim
