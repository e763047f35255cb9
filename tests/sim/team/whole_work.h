// whole_work.h: no piece of work is half done in a store.
//
// SQLite keeps transactions whole. Whether the product put into one transaction
// what belongs together is asked here, of every state that a store went through.
#pragma once

#include <string>

#include "sim/team/script.h"

namespace fieldsync::team {

// What does not fit together, in words; empty where all does, and where a phone's store is
// none. The machine's store is closed.
[[nodiscard]] std::string half_done(Team& team, Who who);

// Which text or photo of the script's saves the device does not show, as far as its store
// says that they were saved, and which photo it takes to be at the office that has not got it
// on its disk; empty where there is none. The machine's store is closed.
[[nodiscard]] std::string missing_work(Team& team, Who who, const Script& script);

}  // namespace fieldsync::team
