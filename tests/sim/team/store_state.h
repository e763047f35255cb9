// store_state.h: what a store says when it is opened after a power cut: sound or
// not, erased, and exactly which of the states that it went through.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "sim/team/team.h"

namespace fieldsync::team {

struct StoreState {
  enum class Kind : std::uint8_t {
    nothing,  // no file is there
    there,
    erased,  // a device's: it said so, and its files are gone now
  };
  Kind kind = Kind::nothing;
  // Why the store is damaged; empty where it is sound.
  std::string damage;
  // Equal for equal contents of all tables.
  std::uint64_t content = 0;
  // A device's: what is made of its data key and opens the store. Whoever finds these bytes, and
  // has the passphrase, reads what was there.
  std::set<std::string> key_slots;
};

// Opens the machine's store, where there is one, as the product does, closes it, and looks at
// every row.
[[nodiscard]] StoreState look_at(Team& team, Who who);

// How much is in a store, in numbers that are the same for equal work: each table's
// rows, and each column's sum of integers and of lengths of texts.
using Outline = std::map<std::string, std::int64_t>;

// The machine's store is closed. Throws std::runtime_error where it cannot be read.
[[nodiscard]] Outline outline_of(Team& team, Who who);

}  // namespace fieldsync::team
