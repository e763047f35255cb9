// participation.h: who takes part in which records of a scope: their authors, whom the office adds, and who
// takes part in what they are part of (Form::part_of). In the reading mode `own` that is what a person reads.
//
// Who was taken out by the office comes back by the office alone, and not by writing once more. Nobody opens to
// others what they may not read themselves. Reference data have no participants: everybody reads them.
#pragma once

#include <vector>

#include "core/form.h"
#include "core/record_state.h"
#include "store/store.h"

namespace fieldsync::server {

// What the record is part of: the values that stand in its form's part_of.
[[nodiscard]] std::vector<core::RecordId> wholes_of(const core::RecordState& state, const core::FormField& part_of);

class ParticipationKeeper {
 public:
  // `transaction` outlives it. One scope only.
  ParticipationKeeper(WriteTransaction& transaction, std::int64_t scope) : transaction_(transaction), scope_(scope) {}

  // The person made the record, with an operation that was applied as number `seq` of the scope. What is part of it
  // already they do not get: somebody else's may be.
  void note_maker(const core::PersonId& person, const core::RecordId& record, std::uint64_t seq);
  // So was one that changes a record that was there. Who was taken out stays so.
  void note_author(const core::PersonId& person, const core::RecordId& record, std::uint64_t seq);
  // The office applied one that the person had no right to: it opens no record that was there before.
  void note_accepted(const core::PersonId& person, const core::RecordId& record, std::uint64_t seq);
  // The record is part of these now, and of no others. Who came to it through one that is no more stays.
  void set_wholes(const core::RecordId& record, const std::vector<core::RecordId>& wholes);
  // The office's decision; holds for the record's parts too.
  void join(const core::PersonId& person, const core::RecordId& record);
  void leave(const core::PersonId& person, const core::RecordId& record);

  // Numbers what followed from these in the scope's order, so that every device hears of it. Call it once,
  // when the operations of the transaction have their numbers.
  void settle();

 private:
  struct Change {
    core::PersonId person;
    core::RecordId record;
    PartTaken part = PartTaken::now;
  };

  // The record, its parts, their parts; not beyond those that `goes_on` stops at.
  template <typename GoesOn>
  std::vector<core::RecordId> with_parts(const core::RecordId& record, GoesOn goes_on);
  // To the record and its parts, but for what the person was taken out of.
  void add(const core::PersonId& person, const core::RecordId& record);
  void put(const core::PersonId& person, const core::RecordId& record, PartTaken part);

  WriteTransaction& transaction_;
  std::int64_t scope_;
  std::vector<Change> changes_;  // stored, and not numbered yet
};

}  // namespace fieldsync::server
