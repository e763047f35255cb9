// clean_stack.h: calls after which nothing that a person wrote stays on the stack. A short
// text stands in the string itself, and a frame that was left is not overwritten by itself;
// the store may be locked later from another thread.
#pragma once

#include <sodium.h>

#include <cstddef>

namespace fieldsync::api {

class StackCleaner {
 public:
  StackCleaner() = default;
  ~StackCleaner() { sodium_stackzero(bytes); }
  StackCleaner(const StackCleaner&) = delete;
  StackCleaner& operator=(const StackCleaner&) = delete;

 private:
  // No call takes as much.
  static constexpr std::size_t bytes = 64 * 1024;
};

// In a frame of its own, which is left when it returns.
template <typename Body>
[[gnu::noinline]] auto in_own_frame(Body& body) -> decltype(body()) {
  return body();
}

template <typename Body>
auto on_clean_stack(Body body) -> decltype(body()) {
  const StackCleaner cleaner;
  return in_own_frame(body);
}

}  // namespace fieldsync::api
