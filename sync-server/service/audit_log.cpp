#include "service/audit_log.h"

#include <algorithm>
#include <map>

namespace fieldsync::server {
namespace {

constexpr const char* operator_of_machine = "operator";

std::string_view view_of(const codec::BatchSignature& signature) {
  return {reinterpret_cast<const char*>(signature.data()), signature.size()};
}

bool is_begun(ReadTransaction& transaction) { return transaction.last_audit_entry().has_value(); }

}  // namespace

std::uint64_t AuditLog::append(WriteTransaction& transaction, v1::AuditEntry entry) const {
  const auto last = transaction.last_audit_entry();
  const std::uint64_t size = last ? last->number : 0;
  core::Instant now = clock_();
  if (last) now = std::max(now, last->time);
  entry.set_time_ms(now.ms);
  AuditRow row{size + 1, now, entry.SerializeAsString(), {}, {}};
  const audit::NodeReader stored = nodes_of(transaction);
  for (const audit::Node& node : audit::nodes_of_append(size, audit::hash_leaf(row.entry), stored))
    transaction.put_audit_node(node.level, node.place, node.hash);
  audit::Checkpoint checkpoint{row.number, now, audit::root_of(row.number, stored), {}};
  audit::sign(checkpoint, key_);
  row.root = checkpoint.root;
  row.signature = view_of(checkpoint.signature);
  transaction.append_audit_entry(row);
  return row.number;
}

void AuditLog::note_act(WriteTransaction& transaction, const Act& act) const {
  v1::AuditEntry entry;
  v1::AdministrativeAct& done = *entry.mutable_act();
  done.set_act(act.name.data(), act.name.size());
  for (const std::string& object : act.objects) done.add_objects(object);
  done.set_word(act.word);
  done.set_by(operator_of_machine);
  append(transaction, std::move(entry));
}

void AuditLog::note_enrolment(WriteTransaction& transaction, const DeviceRow& device) const {
  v1::AuditEntry entry;
  v1::DeviceEnrolled& enrolled = *entry.mutable_enrolment();
  enrolled.set_device(device.id.view().data(), core::DeviceId::size);
  enrolled.set_public_key(device.public_key);
  enrolled.set_person(device.person.id.view().data(), core::PersonId::size);
  append(transaction, std::move(entry));
}

std::uint64_t AuditLog::note_batch(WriteTransaction& transaction, const core::DeviceId& device, const BatchRow& batch,
                                   std::size_t quarantined) const {
  v1::AuditEntry entry;
  v1::BatchAccepted& accepted = *entry.mutable_batch();
  accepted.set_device(device.view().data(), core::DeviceId::size);
  accepted.set_first_counter(batch.first_counter);
  accepted.set_last_counter(batch.last_counter);
  accepted.set_batch_hash(batch.hash.data(), batch.hash.size());
  accepted.set_quarantined(static_cast<std::uint32_t>(quarantined));
  return append(transaction, std::move(entry));
}

void AuditLog::note_read(WriteTransaction& transaction, const core::DeviceId& device,
                         const std::vector<v1::ScopeRead>& scopes) const {
  v1::AuditEntry entry;
  v1::SensitiveRead& read = *entry.mutable_read();
  read.set_device(device.view().data(), core::DeviceId::size);
  for (const v1::ScopeRead& scope : scopes) *read.add_scopes() = scope;
  append(transaction, std::move(entry));
}

std::uint64_t AuditLog::note_loss(WriteTransaction& transaction, const audit::Checkpoint& lost) const {
  if (const std::uint64_t known = transaction.audit_entry_of_loss(lost.size, lost.root); known != 0) return known;
  v1::AuditEntry entry;
  audit::write_checkpoint(lost, *entry.mutable_set_back()->mutable_lost());
  const std::uint64_t number = append(transaction, std::move(entry));
  transaction.note_audit_loss(lost.size, lost.root, number);
  return number;
}

audit::Checkpoint checkpoint_of(const AuditRow& row) {
  audit::Checkpoint checkpoint{row.number, row.time, row.root, {}};
  std::copy_n(row.signature.begin(), std::min(row.signature.size(), checkpoint.signature.size()),
              checkpoint.signature.begin());
  return checkpoint;
}

audit::NodeReader nodes_of(ReadTransaction& transaction) {
  return [&transaction](unsigned level, std::uint64_t place) { return transaction.audit_node(level, place); };
}

Result<void> begin_audit_log(Store& store, const AuditLog& log) {
  bool begun = false;
  const auto looked = store.read([&](ReadTransaction& transaction) -> Result<void> {
    const auto last = transaction.last_audit_entry();
    begun = last.has_value();
    if (last && !audit::is_signed_by(checkpoint_of(*last), log.public_key())) {
      return Error{Errc::not_permitted,
                   "The audit log of this database was signed by another key than log.key. Devices trust the one that "
                   "signed it: put that back."};
    }
    return {};
  });
  if (!looked || begun) return looked;
  return store.write([&](WriteTransaction& transaction) -> Result<void> {
    if (is_begun(transaction)) return {};
    std::map<std::int64_t, core::DeviceId> ids;
    for (const DeviceRow& device : transaction.devices()) {
      ids.emplace(device.key, device.id);
      log.note_enrolment(transaction, device);
    }
    for (const BatchRow& batch : transaction.batches_without_entry()) {
      const auto refused = transaction.quarantined_up_to(batch.device, batch.last_counter);
      const auto quarantined = std::count_if(
          refused.begin(), refused.end(), [&](const QuarantineRow& row) { return row.counter >= batch.first_counter; });
      transaction.set_entry_of_batch(
          batch, log.note_batch(transaction, ids.at(batch.device), batch, static_cast<std::size_t>(quarantined)));
    }
    return {};
  });
}

}  // namespace fieldsync::server
