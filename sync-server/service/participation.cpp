#include "service/participation.h"

#include <set>

namespace fieldsync::server {

std::vector<core::RecordId> wholes_of(const core::RecordState& state, const core::FormField& part_of) {
  std::vector<core::RecordId> wholes;
  for (const core::Sibling& sibling : state.siblings({{}, part_of.number})) {
    if (const auto* whole = std::get_if<core::RecordId>(&sibling.value)) wholes.push_back(*whole);
  }
  return wholes;
}

template <typename GoesOn>
std::vector<core::RecordId> ParticipationKeeper::with_parts(const core::RecordId& record, GoesOn goes_on) {
  std::vector<core::RecordId> all;
  std::vector<core::RecordId> open{record};
  std::set<core::RecordId> seen{record};
  while (!open.empty()) {
    const core::RecordId next = open.back();
    open.pop_back();
    if (!goes_on(next)) continue;
    all.push_back(next);
    for (const core::RecordId& part : transaction_.parts_of(scope_, next)) {
      if (seen.insert(part).second) open.push_back(part);
    }
  }
  return all;
}

void ParticipationKeeper::note_maker(const core::PersonId& person, const core::RecordId& record, std::uint64_t seq) {
  transaction_.add_participant(scope_, person, record, seq);
}

void ParticipationKeeper::note_author(const core::PersonId& person, const core::RecordId& record, std::uint64_t seq) {
  const auto known = transaction_.participation(scope_, person, record);
  if (!known) {
    transaction_.add_participant(scope_, person, record, seq);
    add(person, record);
  } else if (known->is_gone()) {
    // Their devices are told once more that it is gone: one of them has shown it, for what it had to say.
    transaction_.put_participation(scope_, person, record, seq, known->part);
  }
}

void ParticipationKeeper::note_accepted(const core::PersonId& person, const core::RecordId& record, std::uint64_t seq) {
  const auto known = transaction_.participation(scope_, person, record);
  const PartTaken part = known ? known->part : PartTaken::never;
  if (part != PartTaken::now) transaction_.put_participation(scope_, person, record, seq, part);
}

void ParticipationKeeper::set_wholes(const core::RecordId& record, const std::vector<core::RecordId>& wholes) {
  transaction_.put_wholes(scope_, record, wholes);
  for (const core::RecordId& whole : wholes) {
    for (const Participation& each : transaction_.participants(scope_, whole)) {
      if (!each.is_gone()) add(each.person.id, record);
    }
  }
}

void ParticipationKeeper::join(const core::PersonId& person, const core::RecordId& record) {
  for (const core::RecordId& each : with_parts(record, [](const auto&) { return true; })) {
    const auto known = transaction_.participation(scope_, person, each);
    if (!known || known->is_gone()) put(person, each, PartTaken::now);
  }
}

void ParticipationKeeper::leave(const core::PersonId& person, const core::RecordId& record) {
  for (const core::RecordId& each : with_parts(record, [](const auto&) { return true; })) {
    const auto known = transaction_.participation(scope_, person, each);
    const bool is_theirs = known ? !known->is_gone() : each == record;
    if (is_theirs) put(person, each, PartTaken::once);
  }
}

void ParticipationKeeper::add(const core::PersonId& person, const core::RecordId& record) {
  const auto is_open = [&](const core::RecordId& each) {
    const auto known = transaction_.participation(scope_, person, each);
    return !known || !known->is_gone();
  };
  for (const core::RecordId& each : with_parts(record, is_open)) {
    if (!transaction_.participation(scope_, person, each)) put(person, each, PartTaken::now);
  }
}

void ParticipationKeeper::put(const core::PersonId& person, const core::RecordId& record, PartTaken part) {
  transaction_.put_participation(scope_, person, record, 0, part);
  changes_.push_back({person, record, part});
}

void ParticipationKeeper::settle() {
  if (changes_.empty()) return;
  std::uint64_t seq = transaction_.advance_scope(scope_, changes_.size(), 0) - changes_.size();
  for (const Change& change : changes_)
    transaction_.put_participation(scope_, change.person, change.record, ++seq, change.part);
  changes_.clear();
}

}  // namespace fieldsync::server
