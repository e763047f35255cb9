#include "service/participation.h"

#include <algorithm>

namespace fieldsync::server {

void ParticipationKeeper::note_author(const core::PersonId& person, const core::RecordId& record, std::uint64_t seq) {
  if (transaction_.add_participant(scope_, person, record, seq)) {
    add_to_parts(person, record);
    return;
  }
  // Their devices are told once more that it is gone: one of them has shown it, for what it had to say.
  const auto known = transaction_.participation(scope_, person, record);
  if (known && known->is_gone) transaction_.put_participation(scope_, person, record, seq, true);
}

void ParticipationKeeper::note_accepted(const core::PersonId& person, const core::RecordId& record, std::uint64_t seq) {
  const auto known = transaction_.participation(scope_, person, record);
  if (!known || known->is_gone) transaction_.put_participation(scope_, person, record, seq, true);
}

void ParticipationKeeper::note_part(const core::RecordId& record, const core::RecordId& whole, std::uint64_t seq) {
  transaction_.put_part(scope_, record, whole);
  for (const Participation& each : transaction_.participants(scope_, whole)) {
    if (each.is_gone) continue;
    if (transaction_.add_participant(scope_, each.person.id, record, seq)) add_to_parts(each.person.id, record);
  }
}

void ParticipationKeeper::join_whole(const core::RecordId& record, const core::RecordId& whole) {
  transaction_.put_part(scope_, record, whole);
  for (const Participation& each : transaction_.participants(scope_, whole)) {
    if (!each.is_gone) add_to_parts(each.person.id, record);
  }
}

void ParticipationKeeper::join(const core::PersonId& person, const core::RecordId& record) {
  decide(person, record, false);
}

void ParticipationKeeper::leave(const core::PersonId& person, const core::RecordId& record) {
  decide(person, record, true);
}

void ParticipationKeeper::decide(const core::PersonId& person, const core::RecordId& record, bool is_gone) {
  for (const core::RecordId& each : with_parts(record)) {
    const auto known = transaction_.participation(scope_, person, each);
    const bool is_so = known ? known->is_gone == is_gone : is_gone && each != record;
    if (!is_so) changes_.push_back({person, each, is_gone});
  }
}

void ParticipationKeeper::add_to_parts(const core::PersonId& person, const core::RecordId& record) {
  for (const core::RecordId& part : with_parts(record)) {
    if (!transaction_.participation(scope_, person, part)) changes_.push_back({person, part, false});
  }
}

std::vector<core::RecordId> ParticipationKeeper::with_parts(const core::RecordId& record) {
  std::vector<core::RecordId> all{record};
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const core::RecordId& part : transaction_.parts_of(scope_, all[i])) {
      if (std::find(all.begin(), all.end(), part) == all.end()) all.push_back(part);
    }
  }
  return all;
}

void ParticipationKeeper::settle() {
  if (changes_.empty()) return;
  std::uint64_t seq = transaction_.advance_scope(scope_, changes_.size(), 0) - changes_.size();
  for (const Change& change : changes_)
    transaction_.put_participation(scope_, change.person, change.record, ++seq, change.is_gone);
  changes_.clear();
}

}  // namespace fieldsync::server
