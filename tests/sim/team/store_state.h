// store_state.h: what a store says when it is opened after a power cut: sound or
// not, and exactly which of the states that it went through.
#pragma once

#include <cstdint>
#include <map>
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

// How much is in a store, in numbers that are the same for equal work: each table's
// rows, and each column's sum of integers and of lengths of texts.
using Outline = std::map<std::string, std::int64_t>;

// The machine's store is closed. Throws std::runtime_error where it cannot be read.
[[nodiscard]] Outline outline_of(Team& team, Who who);

}  // namespace fieldsync::team
