// chance.h: all chance of a simulated run, from one seed. The same on every
// machine, which the standard library's distributions are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>

namespace fieldsync::sim {

// SplitMix64 (Steele, Lea and Flood 2014).
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
  }
  // From 0 to `bound` - 1. The bias is far below what any run could show.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least) + 1));
  }
  // From 0 to 1.
  double part() { return static_cast<double>(next() >> 11) / 9007199254740992.0; }
  bool happens(double probability) { return part() < probability; }
  template <typename Container>
  auto& pick(Container& from) {
    return from[below(std::size(from))];
  }
  // A stream of its own: what one part of the world draws moves no other.
  Chance fork() { return Chance(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace fieldsync::sim
