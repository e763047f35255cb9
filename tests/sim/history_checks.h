// history_checks.h: what must be true of the office's audit log and of what devices know of
// it, when everything works again and everybody has synced.
#pragma once

#include "sim/final_checks.h"

namespace fieldsync::sim {

// The log is sound from its first entry on, with every batch and signature in it; no batch is without its entry; and
// whatever a device was shown last is in it, or is admitted to be lost. Throws BrokenPromise.
void check_history(const Healed& healed);

}  // namespace fieldsync::sim
