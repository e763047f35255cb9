// must_hold.h: how a fuzz target says that a law is broken: it ends the process,
// which the fuzzer keeps the input of.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace fieldsync::fuzz {

inline void must_hold(bool condition, const char* law) {
  if (condition) return;
  std::fprintf(stderr, "Does not hold: %s\n", law);
  std::abort();
}

}  // namespace fieldsync::fuzz
