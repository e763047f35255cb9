#include "core/fingerprint.h"

namespace fieldsync::core {

std::string fingerprint_of(const DeviceId& device) {
  constexpr std::size_t group_digits = 4;
  const std::string digits = device.hex();
  std::string text;
  for (std::size_t at = 0; at < digits.size(); at += group_digits)
    text += (at == 0 ? "" : " ") + digits.substr(at, group_digits);
  return text;
}

}  // namespace fieldsync::core
