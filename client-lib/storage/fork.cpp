#include "storage/fork.h"

#include <algorithm>

#include "codec/operation_codec.h"
#include "storage/stamper.h"

namespace fieldsync::storage {

bool Fork::is_own_history(const v1::SyncReply& reply) {
  return outbox_.position_at(reply.acknowledged_counter(), reply.last_batch_hash_prefix()).has_value();
}

Result<bool> Fork::compare_on(const v1::SyncReply& reply, const SignedBatch* sent) {
  const std::uint64_t theirs = reply.acknowledged_counter();
  if (!identity_.comparing() || theirs < identity_.acknowledged_counter()) return begin_comparison();
  // What was sent and known, the server compared. Nothing was where all is proven, or
  // where the two are known to differ.
  codec::ChainPosition same = identity_.acknowledged();
  if (sent) same = sent->last <= theirs ? sent->end() : codec::ChainPosition{theirs, {}};
  Taken taken;
  if (auto done = replica_.take_refusals(reply, same.counter, taken); !done) return done.error();
  identity_.set_acknowledged(same);
  if (sent && same.counter < theirs && same.counter < identity_.last_counter()) return true;
  identity_.set_forked_from(same.counter + 1);
  return false;
}

Result<bool> Fork::compare_on(Errc refusal, std::uint64_t sent_first) {
  const bool first_of_all = sent_first == 1;
  const bool differs_here = refusal == Errc::device_forked && (identity_.comparing() || first_of_all);
  if (differs_here) identity_.set_forked_from(sent_first);
  if (differs_here || first_of_all) return false;
  return begin_comparison();
}

Result<bool> Fork::begin_comparison() {
  if (auto reopened = replica_.refill_after(0); !reopened) return reopened.error();
  identity_.set_acknowledged({});
  identity_.set_durable_counter(0);
  identity_.set_forked_from(0);
  identity_.set_comparing(true);
  return true;
}

Result<void> Fork::end_comparison() {
  if (identity_.forked_from() != 0) identity_.set_forked_from(0);
  if (!identity_.comparing()) return {};
  identity_.set_comparing(false);
  // The replica never gave up most of what was put back among what waits.
  return replica_.forget_held(1, identity_.acknowledged_counter());
}

Result<std::uint64_t> Fork::append_anew(const core::Operation& operation) {
  const std::string bytes = codec::encode_operation(operation);
  std::size_t elements = 0;
  if (auto readable = codec::decode_operation(bytes, operation.id, {}, elements); !readable) return readable.error();
  outbox_.append({operation.id.counter, operation.record, bytes, elements});
  return operation.id.counter;
}

Result<Fork::Kept> Fork::write_anew(Renaming& renaming) {
  const core::DeviceId former = identity_.device();
  const auto decode = [&](const StoredOperation& stored) {
    std::size_t elements = 0;
    return codec::decode_operation(stored.bytes, {former, stored.counter}, identity_.person(), elements);
  };
  // Later counts may go on from a refused one.
  for (const StoredOperation& stored : outbox_.refused_operations()) {
    if (const auto operation = decode(stored)) renaming.note_kept(*operation);
  }
  const std::vector<StoredOperation> waiting = outbox_.all();
  outbox_.set_aside(former, identity_.forked_from() - 1);
  Kept kept;
  std::map<core::RecordId, std::uint64_t> held_before;
  std::uint64_t last_counter = 0;
  for (const StoredOperation& stored : waiting) {
    auto operation = decode(stored);
    if (!operation) return operation.error();
    auto [record, is_new] = kept.try_emplace(stored.record);
    core::RecordState& state = record->second;
    if (is_new) {
      state = records_.replica(stored.record);
      held_before[stored.record] = state.seen.counter_of(former);
      state = renaming.without_renamed(std::move(state));
    }
    if (renaming.concerns(operation->id)) {
      renaming.rename(*operation, directory_.form(operation->form));
      if (stored.counter <= held_before[stored.record]) renaming.bring_counts_back(*operation, state);
      const auto appended = append_anew(*operation);
      if (!appended) return appended.error();
      last_counter = *appended;
    } else {
      // The server has it: shown like what it told, until it tells.
      renaming.note_kept(*operation);
      const core::Stamp stamp = provisional(*operation);
      state.apply(std::move(*operation), stamp);
    }
  }
  identity_.set_last_counter(last_counter);
  return kept;
}

Result<void> Fork::begin_anew(const NewDevice& device) {
  Renaming renaming(identity_.device(), identity_.forked_from(), device.id);
  const auto kept = write_anew(renaming);
  if (!kept) return kept.error();
  // The comparison is the office's word. Who deceives has it called equal, and given up.
  if (identity_.forked_from() > identity_.receipted_counter() + 1) identity_.set_gave_up_unproven();
  identity_.set_key(device.private_key_pem, device.certificate_pem, device.id);
  identity_.set_acknowledged({});
  identity_.set_receipted_counter(0);
  identity_.set_durable_counter(0);
  identity_.set_forked_from(0);
  identity_.set_comparing(false);
  for (const auto& [record, state] : *kept) {
    // A scope that was left is not read again.
    if (!state.id.is_none() && directory_.scope(state.scope)) records_.put_replica(state);
    if (auto rebuilt = replica_.rebuild_shown(record); !rebuilt) return rebuilt;
  }
  // The cursors were given to the former id.
  for (const ScopeRow& scope : directory_.scopes()) replica_.read_anew(scope.id);
  return {};
}

}  // namespace fieldsync::storage
