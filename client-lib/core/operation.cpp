#include "core/operation.h"

namespace fieldsync::core {

std::uint32_t place_of_write(const Operation& operation, std::size_t index) {
  // Writes of one field stand together, so that this looks back no further than needed.
  std::uint32_t place = 0;
  while (index > place && operation.writes[index - place - 1].key == operation.writes[index].key) ++place;
  return place;
}

}  // namespace fieldsync::core
