// store_state.h: what a store says when it is opened after a power cut: sound or
// not, and exactly which of the states that it went through.
#pragma once

#include <cstdint>
#include <string>

#include "sim/team/team.h"

namespace fieldsync::team {

struct StoreState {
  // Why the store is damaged; empty where it is sound.
  std::string damage;
  // Equal for equal contents of all tables.
  std::uint64_t content = 0;
};

// Opens the machine's store as the product does, closes it, and looks at every row.
[[nodiscard]] StoreState look_at(Team& team, Who who);

}  // namespace fieldsync::team
