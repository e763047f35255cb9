#include "audit/history_check.h"

namespace fieldsync::audit {
namespace {

bool is_proven(const v1::ProvenEntry& entry, const Checkpoint& checkpoint) {
  const std::vector<Hash> path = split(entry.path());
  const bool is_whole = path.size() * sizeof(Hash) == entry.path().size();
  return is_whole && entry.number() > 0 &&
         is_included(hash_leaf(entry.entry()), entry.number() - 1, checkpoint.size, path, checkpoint.root);
}

// Names exactly what the device was shown last, and stands in the new history.
bool admits_loss(const v1::ProvenEntry& proven, const Checkpoint& lost, const Checkpoint& newest) {
  v1::AuditEntry entry;
  if (!is_proven(proven, newest) || !entry.ParseFromString(proven.entry()) || !entry.has_set_back()) return false;
  return read_checkpoint(entry.set_back().lost()) == lost;
}

Result<void> check_goes_on(const v1::SyncReply& reply, const Checkpoint& from, const Checkpoint& to) {
  if (to.size < from.size) return Error{Errc::history_shortened, {}};
  const std::vector<Hash> proof = split(reply.consistency());
  const bool is_whole = proof.size() * sizeof(Hash) == reply.consistency().size();
  if (!is_whole || !is_consistent(from.size, from.root, to.size, to.root, proof))
    return Error{Errc::history_forked, {}};
  return {};
}

Result<void> check_receipt(const v1::SyncReply& reply, const AwaitedReceipt& awaited,
                           const std::optional<Checkpoint>& newest) {
  v1::AuditEntry entry;
  const v1::ProvenEntry& receipt = reply.receipt();
  const bool is_there = newest && reply.has_receipt() && is_proven(receipt, *newest);
  if (!is_there || !entry.ParseFromString(receipt.entry())) return Error{Errc::receipt_invalid, {}};
  const v1::BatchAccepted& batch = entry.batch();
  const bool is_its_own = batch.device() == awaited.device.view() &&
                          batch.last_counter() == awaited.batch_end.counter &&
                          batch.batch_hash() == codec::bytes_of(awaited.batch_end.hash);
  return is_its_own ? Result<void>() : Error{Errc::receipt_invalid, {}};
}

}  // namespace

Result<CheckedHistory> check_history(const v1::SyncReply& reply, const KnownHistory& known,
                                     const std::optional<AwaitedReceipt>& awaited) {
  CheckedHistory checked{known, {}};
  const auto told_key = read_key(reply.log_key());
  if (known.key && told_key && *told_key != *known.key) return Error{Errc::history_key_changed, {}};
  if (!known.key) checked.known.key = told_key;
  if (!checked.known.key) return Error{awaited ? Errc::receipt_invalid : Errc::incompatible_server, {}};
  if (reply.has_checkpoint()) {
    const auto newest = read_checkpoint(reply.checkpoint());
    if (!newest || !is_signed_by(*newest, *checked.known.key)) return Error{Errc::history_key_changed, {}};
    if (known.checkpoint && reply.has_set_back()) {
      if (!admits_loss(reply.set_back(), *known.checkpoint, *newest)) return Error{Errc::history_forked, {}};
      checked.loss = AdmittedLoss{reply.set_back().number(), reply.set_back().entry()};
    } else if (known.checkpoint) {
      if (auto goes_on = check_goes_on(reply, *known.checkpoint, *newest); !goes_on) return goes_on.error();
    }
    checked.known.checkpoint = newest;
  }
  if (!awaited) return checked.known.checkpoint ? Result(checked) : Error{Errc::incompatible_server, {}};
  const auto received = check_receipt(reply, *awaited, checked.known.checkpoint);
  return received ? Result(checked) : received.error();
}

}  // namespace fieldsync::audit
