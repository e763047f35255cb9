// renaming.h: what a forked store wrote, as the new device that it becomes would have
// written it (storage/fork.h). The former id's operations before `first` are the
// server's; those from there on are called by the new id, and begin with 1.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "core/form.h"
#include "core/operation.h"
#include "core/record_state.h"

namespace fieldsync::storage {

class Renaming {
 public:
  Renaming(const core::DeviceId& former, std::uint64_t first, const core::DeviceId& anew)
      : former_(former), first_(first), anew_(anew) {}

  [[nodiscard]] bool concerns(const core::OperationId& id) const {
    return id.device == former_ && id.counter >= first_;
  }

  // An operation that keeps its name, as all that come before `first`.
  void note_kept(const core::Operation& operation);
  // Pre: concerns(operation.id), and the former id's operations before it were noted
  // or renamed. `form` is nullptr where it is not known.
  void rename(core::Operation& operation, const core::Form* form);

  // What the server has of a record whose replica may hold operations that are renamed
  // now, because the server was restored and lost them. What those replaced is not
  // brought back: they will replace it again.
  [[nodiscard]] core::RecordState without_renamed(core::RecordState replica) const;
  // ... but for counts: a renamed count replaces none of the former id's. `operation`
  // is renamed, and the replica held it.
  void bring_counts_back(const core::Operation& operation, core::RecordState& state) const;

 private:
  [[nodiscard]] core::OperationId name_of(const core::OperationId& id) const;
  [[nodiscard]] core::SeenVector name_of(const core::SeenVector& seen) const;
  [[nodiscard]] bool continues_own(const core::FieldWrite& write) const;

  // A count is its device's running sum. Of each: how much of it was counted before
  // `first`, and the last count that says so.
  struct CountedBefore {
    core::ValueId said_by;
    std::int64_t sum = 0;
    std::vector<core::ValueId> over{};  // what the count itself named, and so holds
  };
  using CountKey = std::tuple<core::RecordId, core::FieldKey, core::ValueId>;
  [[nodiscard]] bool is_held_by_another(const core::RecordId& record, const core::FieldWrite& write,
                                        const core::ValueId& value) const;
  [[nodiscard]] CountedBefore counted_before(const core::RecordId& record, const core::FieldWrite& write) const;

  core::DeviceId former_;
  std::uint64_t first_;
  core::DeviceId anew_;
  std::map<CountKey, CountedBefore> counts_;  // by their names now
};

}  // namespace fieldsync::storage
