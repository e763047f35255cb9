// long_profile.h: whether a test takes the time to try everything.
#pragma once

#include <cstdlib>

namespace fieldsync::testing {

// FIELDSYNC_LONG=1, see tools/dev.
inline bool long_profile() { return std::getenv("FIELDSYNC_LONG") != nullptr; }

}  // namespace fieldsync::testing
