#include "api/history_status.h"

#include <algorithm>

namespace fieldsync::api {
namespace {

std::string text_of(const v1::Checkpoint& wire) {
  const auto checkpoint = audit::read_checkpoint(wire);
  return checkpoint ? audit::text_of(*checkpoint) : std::string();
}

HistorySetBack told_of(const v1::SetBackEvidence& evidence) {
  HistorySetBack told;
  told.at.ms = evidence.noticed_ms();
  v1::AuditEntry entry;
  if (evidence.entry_number() != 0 && entry.ParseFromString(evidence.entry())) told.at.ms = entry.time_ms();
  // Entries before the one that admits it may be newer than the copy: as many are gone at least.
  const std::uint64_t before = evidence.before().size();
  const std::uint64_t kept = evidence.entry_number() == 0 ? 0 : evidence.entry_number() - 1;
  told.entries_gone = std::max<std::uint64_t>(1, before - std::min(before, kept));
  told.checkpoint_before = text_of(evidence.before());
  told.checkpoint_after = text_of(evidence.after());
  return told;
}

}  // namespace

HistoryStatus history_status(storage::Identity& identity) {
  HistoryStatus status;
  const audit::KnownHistory known = identity.history();
  if (known.key) status.fingerprint = core::to_hex(audit::view_of(audit::fingerprint_of(*known.key)));
  if (known.checkpoint) {
    status.checkpoint = audit::text_of(*known.checkpoint);
    status.entries = known.checkpoint->size;
  }
  for (const v1::SetBackEvidence& evidence : identity.set_back_evidence()) status.set_back.push_back(told_of(evidence));
  return status;
}

}  // namespace fieldsync::api
