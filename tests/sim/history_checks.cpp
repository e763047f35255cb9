#include "sim/history_checks.h"

#include "audit/history_verifier.h"
#include "service/audit_log.h"

namespace fieldsync::sim {
namespace {

// As `history export` writes it.
void take_entry(server::ReadTransaction& transaction, const server::AuditRow& row, audit::HistoryVerifier& verifier) {
  const auto record = [&](audit::HistoryRecordKind kind, const std::string& bytes) {
    verifier.take({kind, bytes.substr(audit::history_record_head_bytes)});
  };
  record(audit::HistoryRecordKind::entry, audit::entry_record({server::checkpoint_of(row), row.entry}));
  v1::AuditEntry entry;
  if (!entry.ParseFromString(row.entry) || !entry.has_batch()) return;
  const auto id = core::DeviceId::from_bytes(entry.batch().device());
  const auto device = id ? transaction.device_by_id(*id) : std::nullopt;
  if (!device) throw BrokenPromise("The log tells of a batch of an unknown device");
  const std::uint64_t first = entry.batch().first_counter();
  transaction.batches_between(device->key, first, first, [&](const server::BatchRow& stored) {
    v1::Batch batch;
    batch.set_first_counter(stored.first_counter);
    if (first > 1) batch.set_previous_hash_prefix(stored.previous.data(), codec::previous_hash_prefix_bytes);
    batch.set_signature(stored.signature.data(), stored.signature.size());
    batch.set_encoding(static_cast<v1::Encoding>(stored.encoding));
    batch.set_content(stored.content.data(), stored.content.size());
    record(audit::HistoryRecordKind::batch, audit::batch_record(batch));
  });
}

void check_log(server::ReadTransaction& transaction, const codec::VerifyingKey& key) {
  audit::HistoryVerifier verifier(audit::fingerprint_of(key), {});
  verifier.take({audit::HistoryRecordKind::key, std::string(audit::view_of_key(key))});
  std::uint64_t size = 0;
  for (auto row = transaction.audit_entry(1); row; row = transaction.audit_entry(size + 1)) {
    take_entry(transaction, *row, verifier);
    size = row->number;
  }
  verifier.take({audit::HistoryRecordKind::end, audit::end_record(size).substr(audit::history_record_head_bytes)});
  verifier.note_outcome(audit::ReadOutcome::end_of_file);
  if (const auto fault = verifier.fault())
    throw BrokenPromise("The office's history is not sound: " + fault->sentence + " [" + std::string(fault->code) +
                        "]");
}

void check_known_to(Device& device, server::ReadTransaction& transaction, const codec::VerifyingKey& key,
                    std::uint64_t restores) {
  const std::string& name = device.book().name;
  const audit::KnownHistory known = device.store().identity.history();
  if (known.key != key) throw BrokenPromise(name + " holds another key of the office's history");
  if (!known.checkpoint) throw BrokenPromise(name + " has synced and holds no checkpoint");
  const auto row = transaction.audit_entry(known.checkpoint->size);
  if (!row || server::checkpoint_of(*row) != *known.checkpoint)
    throw BrokenPromise(name + " holds a checkpoint that the office's history does not");
  const auto evidence = device.store().identity.set_back_evidence();
  if (evidence.size() > restores) throw BrokenPromise(name + " counts more losses than there were restores");
  if (evidence.empty()) return;
  // The office may have been restored once more since: then it has lost the admission, too.
  const auto& last = evidence.back();
  const auto after = transaction.audit_entry(last.after().size());
  const bool is_of_this_history = after && audit::view_of(after->root) == last.after().root();
  const auto lost = audit::read_checkpoint(last.before());
  if (is_of_this_history && (!lost || transaction.audit_entry_of_loss(lost->size, lost->root) == 0))
    throw BrokenPromise(name + " was shown a loss that the office's history does not admit");
}

}  // namespace

void check_history(const Healed& healed) {
  const codec::VerifyingKey key = healed.server.log_public_key();
  const auto looked = healed.server.store().read([&](server::ReadTransaction& transaction) -> Result<void> {
    check_log(transaction, key);
    if (!transaction.batches_without_entry().empty()) throw BrokenPromise("A batch has no entry in the history");
    for (Device* device : healed.devices) {
      if (device->is_gone() || healed.office.is_revoked(device->book().device)) continue;
      check_known_to(*device, transaction, key, healed.server.restores());
      const auto row = transaction.device_by_id(device->book().device);
      if (!row || row->last_counter == 0) continue;
      if (transaction.audit_entry_of_batch(row->key, device->store().identity.acknowledged_counter()) == 0)
        throw BrokenPromise(device->book().name + " was told that its batch is taken, and the history has no entry");
    }
    return {};
  });
  if (!looked) throw BrokenPromise("The office's history cannot be read");
}

}  // namespace fieldsync::sim
