// clock.h: the time, passed in and never reached for.
#pragma once

#include <functional>

#include "core/time.h"

namespace fieldsync::server {

using Clock = std::function<core::Instant()>;

}  // namespace fieldsync::server
