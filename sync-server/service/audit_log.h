// audit_log.h: writes the audit log (proto/fieldsync/v1/audit.proto): an entry for
// each accepted batch, enrolment, administrative act and read of sensitive records, in the
// transaction that does it, with a signed checkpoint after each.
#pragma once

#include <vector>

#include "audit/checkpoint.h"
#include "service/clock.h"
#include "store/store.h"

namespace fieldsync::server {

// What a command did, for the log.
struct Act {
  std::string_view name;             // stable: "scope_add"
  std::vector<std::string> objects;  // ids, 16 bytes each
  std::string word;                  // a role or a form's name
};

// Threads: any; writers' transactions keep appends apart.
class AuditLog {
 public:
  AuditLog(const codec::SigningKey& key, Clock clock)
      : key_(key), public_key_(audit::public_key_of(key)), clock_(std::move(clock)) {}

  [[nodiscard]] const codec::VerifyingKey& public_key() const { return public_key_; }
  [[nodiscard]] audit::Hash fingerprint() const { return audit::fingerprint_of(public_key_); }

  // The number of the new entry. Its time is set here: never less than that of the entry before.
  std::uint64_t append(WriteTransaction& transaction, v1::AuditEntry entry) const;

  void note_act(WriteTransaction& transaction, const Act& act) const;
  void note_enrolment(WriteTransaction& transaction, const DeviceRow& device) const;
  std::uint64_t note_batch(WriteTransaction& transaction, const core::DeviceId& device, const BatchRow& batch,
                           std::size_t quarantined) const;
  void note_read(WriteTransaction& transaction, const core::DeviceId& device,
                 const std::vector<v1::ScopeRead>& scopes) const;
  // The entry that admits the loss of this checkpoint; it is made where there is none yet.
  std::uint64_t note_loss(WriteTransaction& transaction, const audit::Checkpoint& lost) const;

 private:
  codec::SigningKey key_;
  codec::VerifyingKey public_key_;
  Clock clock_;
};

[[nodiscard]] audit::Checkpoint checkpoint_of(const AuditRow& row);
[[nodiscard]] audit::NodeReader nodes_of(ReadTransaction& transaction);

// Begins the log of a database that an older version made: its devices and batches get their entries.
// Does nothing where it has been done. not_permitted: the log there is was signed by another key.
[[nodiscard]] Result<void> begin_audit_log(Store& store, const AuditLog& log);

}  // namespace fieldsync::server
