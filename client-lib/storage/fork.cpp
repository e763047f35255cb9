#include "storage/fork.h"

#include <algorithm>
#include <map>

#include "codec/operation_codec.h"
#include "core/form.h"
#include "storage/stamper.h"

namespace fieldsync::storage {
namespace {

// How the operations from `first` on are called under the new id.
struct Renaming {
  core::DeviceId former;
  std::uint64_t first = 0;
  core::DeviceId anew;

  [[nodiscard]] bool concerns(const core::OperationId& id) const { return id.device == former && id.counter >= first; }
  [[nodiscard]] core::OperationId operator()(const core::OperationId& id) const {
    return concerns(id) ? core::OperationId{anew, id.counter - first + 1} : id;
  }
  // What was seen of the former id is seen of both.
  [[nodiscard]] core::SeenVector operator()(const core::SeenVector& seen) const {
    core::SeenVector renamed;
    for (const core::OperationId& id : seen.newest) {
      renamed.add((*this)(id));
      if (concerns(id) && first > 1) renamed.add({former, first - 1});
    }
    return renamed;
  }
};

bool only_own(const core::FieldWrite& write, const Renaming& rename) {
  return std::all_of(write.replaces.begin(), write.replaces.end(), [&](const core::ValueId& replaced) {
    return replaced.operation.device == rename.former || replaced.operation.device == rename.anew;
  });
}

// A count is its device's running sum. The former device's stays beside the new
// one's, so the new one's begins at what was added since.
void count_from_zero(core::FieldWrite& write, std::int64_t count, const core::RecordState& now, const Renaming& rename) {
  auto sum = static_cast<std::uint64_t>(count);
  for (const core::Sibling& sibling : now.siblings(write.key)) {
    const auto* former = std::get_if<std::int64_t>(&sibling.value);
    if (former != nullptr && sibling.id.operation.device == rename.former) sum -= static_cast<std::uint64_t>(*former);
  }
  write.value = static_cast<std::int64_t>(sum);
  std::erase_if(write.replaces, [&](const core::ValueId& replaced) { return replaced.operation.device == rename.former; });
}

// The operation as the new device would have written it. `now` is its record with
// everything before it, under the new names.
void rename_operation(core::Operation& operation, const core::RecordState& now, const core::Form* form, const Renaming& rename) {
  operation.id = rename(operation.id);
  for (core::FieldWrite& write : operation.writes) {
    for (core::ValueId& replaced : write.replaces) replaced.operation = rename(replaced.operation);
    if (auto* deletion = std::get_if<core::Deletion>(&write.value)) deletion->seen = rename(deletion->seen);
    const core::FormField* field = form == nullptr ? nullptr : form->find(write.key.field);
    const auto* count = std::get_if<std::int64_t>(&write.value);
    const bool counts = field != nullptr && field->policy == core::MergePolicy::counter && count != nullptr;
    if (counts && only_own(write, rename)) count_from_zero(write, *count, now, rename);
  }
}

}  // namespace

bool Fork::is_own_history(const v1::SyncReply& reply) {
  if (reply.acknowledged_counter() == 0) return true;
  return outbox_.signed_batch_ends_at(reply.acknowledged_counter(), reply.last_batch_hash_prefix());
}

Result<bool> Fork::compare_on(const v1::SyncReply& reply, std::uint64_t sent_last) {
  const std::uint64_t theirs = reply.acknowledged_counter();
  if (theirs <= identity_.acknowledged_counter()) {
    // The server was restored, and another copy refilled it: nothing is sure.
    if (auto reopened = replica_.refill_after(0); !reopened) return reopened.error();
    identity_.set_acknowledged_counter(0);
    identity_.set_durable_counter(0);
    return true;
  }
  // What was sent and known, the server compared.
  const std::uint64_t same = sent_last == 0 ? identity_.acknowledged_counter() : std::min(sent_last, theirs);
  if (sent_last != 0 && same < theirs && same < identity_.last_counter()) {
    identity_.set_acknowledged_counter(same);
    return true;
  }
  identity_.set_forked_from(same + 1);
  return false;
}

Result<void> Fork::begin_anew(const NewDevice& device) {
  const Renaming rename{identity_.device(), identity_.forked_from(), device.id};
  const std::vector<StoredOperation> waiting = outbox_.all();
  outbox_.set_aside(rename.former, rename.first - 1);
  std::map<core::RecordId, core::RecordState> states;
  std::uint64_t last_counter = 0;
  for (const StoredOperation& stored : waiting) {
    std::size_t elements = 0;
    auto operation = codec::decode_operation(stored.bytes, {rename.former, stored.counter}, identity_.person(), elements);
    if (!operation) return operation.error();
    auto [record, is_new] = states.try_emplace(stored.record);
    core::RecordState& state = record->second;
    if (is_new) state = records_.replica(stored.record);
    if (rename.concerns(operation->id)) {
      rename_operation(*operation, state, directory_.form(operation->form), rename);
      last_counter = operation->id.counter;
      const std::string bytes = codec::encode_operation(*operation);
      elements = 0;
      if (auto readable = codec::decode_operation(bytes, operation->id, {}, elements); !readable) return readable.error();
      outbox_.append({last_counter, stored.record, bytes, elements});
    }
    const core::Stamp stamp = provisional(*operation);
    state.apply(std::move(*operation), stamp);
    // The server has it: shown like what it told, until it tells.
    if (stored.counter < rename.first) records_.put_replica(state);
  }
  identity_.set_key(device.private_key_pem, device.certificate_pem, device.id);
  identity_.set_last_counter(last_counter);
  identity_.set_acknowledged_counter(0);
  identity_.set_durable_counter(0);
  identity_.set_forked_from(0);
  for (const auto& [record, state] : states) {
    if (auto rebuilt = replica_.rebuild_shown(record); !rebuilt) return rebuilt;
  }
  // The cursors were given to the former id.
  for (const ScopeRow& scope : directory_.scopes()) {
    records_.mark_stale(scope.id);
    directory_.set_position(scope.id, {}, 0);
  }
  return {};
}

}  // namespace fieldsync::storage
