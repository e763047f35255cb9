// check.h: invariants that stay on in release builds.
#pragma once

#include <stdexcept>

namespace fieldsync::core {

// A promise of the program itself is broken. The session ends, the host lives.
class BrokenInvariant : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] void broken_invariant(const char* condition, const char* why, const char* file, int line);

}  // namespace fieldsync::core

// Not for input from network or disk: that is validated and refused.
#define FIELDSYNC_CHECK(condition, why)                                                         \
  do {                                                                                          \
    if (!(condition)) ::fieldsync::core::broken_invariant(#condition, why, __FILE__, __LINE__); \
  } while (false)
