// random.h: randomness that is the same on every machine for the same seed. (The
// standard library's distributions are not.)
#pragma once

#include <cstdint>
#include <random>

namespace fieldsync::training {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // 0 to bound - 1.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  [[nodiscard]] bool percent(std::uint64_t chance) { return below(100) < chance; }

  template <typename Id>
  [[nodiscard]] Id id() {
    Id id;
    for (auto& byte : id.bytes) byte = static_cast<std::uint8_t>(engine_());
    return id;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace fieldsync::training
