// generator.h: requests as a client writes them, and as somebody spoils them on purpose.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

namespace fieldsync::http_gate {

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}
  // The head of a request, with its empty line unless that was spoiled.
  [[nodiscard]] std::string head();

 private:
  [[nodiscard]] std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  // The first ones, which are sound, more often.
  template <std::size_t Size>
  [[nodiscard]] std::string one_of(const char* const (&choices)[Size]) {
    return choices[std::min({below(Size), below(Size), below(Size)})];
  }
  [[nodiscard]] std::string sound_head();
  void spoil(std::string& head);

  std::mt19937_64 random_;
};

}  // namespace fieldsync::http_gate
