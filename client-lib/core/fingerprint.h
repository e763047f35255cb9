// fingerprint.h: a device's id as two people compare it, one at the office and one at the device.
#pragma once

#include <string>

#include "core/id.h"

namespace fieldsync::core {

// Eight groups of four hexadecimal digits: 128 bits of the hash of the device's key.
[[nodiscard]] std::string fingerprint_of(const DeviceId& device);

}  // namespace fieldsync::core
