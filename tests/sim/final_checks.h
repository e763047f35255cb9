// final_checks.h: what must be true when everything works again and everybody has
// synced. The expectation is computed from the books alone, not by the product's
// merge: a value stands where no applied operation named it as replaced.
#pragma once

#include <vector>

#include "sim/device.h"
#include "sim/office.h"

namespace fieldsync::sim {

struct Healed {
  const Office& office;
  Server& server;
  const Album& album;
  std::vector<Device*> devices;
  std::int64_t began_ms = 0;  // of the healing
};

// Whether there is nothing left to send or to receive anywhere.
[[nodiscard]] bool everybody_is_done(const Healed& healed);
// Why not, in words.
[[nodiscard]] std::string who_is_not_done(const Healed& healed);
// Throws BrokenPromise.
void check_healed(const Healed& healed);

}  // namespace fieldsync::sim
