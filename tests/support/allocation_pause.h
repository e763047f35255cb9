// allocation_pause.h: a test's own code within the code under test (a simulated
// disk) allocates without faults, and is not counted.
#pragma once

namespace fieldsync::testing {

// Greater than 0: paused. SQLite calls back without a place for a context.
inline thread_local int allocation_pauses = 0;

class AllocationPause {
 public:
  AllocationPause() { ++allocation_pauses; }
  ~AllocationPause() { --allocation_pauses; }
  AllocationPause(const AllocationPause&) = delete;
  AllocationPause& operator=(const AllocationPause&) = delete;
};

}  // namespace fieldsync::testing
