// participation.h: who takes part in which records of a scope: their authors, whom the office adds, and who
// takes part in what they are part of (Form::part_of). In the reading mode `own` that is what a person reads.
//
// Who was taken out by the office comes back by the office alone, and not by writing once more.
#pragma once

#include <vector>

#include "store/store.h"

namespace fieldsync::server {

class ParticipationKeeper {
 public:
  // `transaction` outlives it. One scope only.
  ParticipationKeeper(WriteTransaction& transaction, std::int64_t scope) : transaction_(transaction), scope_(scope) {}

  // The person's operation on the record was applied, as number `seq` of the scope. Who was taken out
  // stays so.
  void note_author(const core::PersonId& person, const core::RecordId& record, std::uint64_t seq);
  // The office applied one that the person had no right to: it opens no record that was there before.
  void note_accepted(const core::PersonId& person, const core::RecordId& record, std::uint64_t seq);
  // So was one that makes the record part of another.
  void note_part(const core::RecordId& record, const core::RecordId& whole, std::uint64_t seq);
  // The record, which has been there, is part of another from now on.
  void join_whole(const core::RecordId& record, const core::RecordId& whole);
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
    bool is_gone = false;
  };

  // The record, its parts, their parts.
  std::vector<core::RecordId> with_parts(const core::RecordId& record);
  void add_to_parts(const core::PersonId& person, const core::RecordId& record);
  void decide(const core::PersonId& person, const core::RecordId& record, bool is_gone);

  WriteTransaction& transaction_;
  std::int64_t scope_;
  std::vector<Change> changes_;
};

}  // namespace fieldsync::server
