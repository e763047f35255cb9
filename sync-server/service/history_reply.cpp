#include "service/history_reply.h"

namespace fieldsync::server {
namespace {

// What one transaction sees of the log, for one device's reply.
class HistoryReply {
 public:
  HistoryReply(ReadTransaction& transaction, const AuditLog& log, const core::DeviceId& device,
               const v1::SyncRequest& request, v1::SyncReply& reply)
      : transaction_(transaction), log_(log), device_(device), request_(request), reply_(reply) {
    named_ = audit::read_checkpoint(request.checkpoint());
  }

  // False where the log, as it is seen here, does not hold what it should: the view may be old.
  [[nodiscard]] Result<bool> add() {
    reply_.clear_checkpoint();
    reply_.clear_consistency();
    reply_.clear_log_key();
    const auto last = transaction_.last_audit_entry();
    if (last) newest_ = checkpoint_of(*last);
    const bool is_held = !named_ || holds(*named_);
    if (is_held && newest_ && (!named_ || *named_ != *newest_)) add_checkpoint();
    const auto is_received = add_receipt(request_.receipted_counter());
    if (!is_received) return is_received;
    return is_held && *is_received;
  }

  // Where the log is the one that is: what it does not hold, it has lost, and receipts of it prove nothing any more.
  // `number`: the entry that admits it.
  [[nodiscard]] Result<void> add_loss(std::uint64_t number) {
    newest_ = checkpoint_of(*transaction_.last_audit_entry());
    audit::write_checkpoint(*newest_, *reply_.mutable_checkpoint());
    reply_.clear_consistency();
    if (auto proven = prove(number, *reply_.mutable_set_back()); !proven) return proven;
    const auto is_received = add_receipt(0);
    return is_received ? Result<void>() : is_received.error();
  }

  [[nodiscard]] const std::optional<audit::Checkpoint>& named() const { return named_; }
  [[nodiscard]] bool lacks_what_it_signed() {
    return named_ && !holds(*named_) && audit::is_signed_by(*named_, log_.public_key());
  }

 private:
  // What another key signed is nothing that this log could hold.
  [[nodiscard]] bool holds(const audit::Checkpoint& checkpoint) {
    if (newest_ && checkpoint == *newest_) return true;
    const auto row = transaction_.audit_entry(checkpoint.size);
    return row && row->root == checkpoint.root;
  }

  void add_checkpoint() {
    audit::write_checkpoint(*newest_, *reply_.mutable_checkpoint());
    if (!named_) {
      reply_.set_log_key(log_.public_key().data(), log_.public_key().size());
      return;
    }
    const auto proof = audit::consistency_proof(named_->size, newest_->size, nodes_of(transaction_));
    reply_.set_consistency(audit::joined(proof));
  }

  // False where the log, as it is seen here, has no entry of the batch.
  [[nodiscard]] Result<bool> add_receipt(std::uint64_t receipted) {
    reply_.clear_receipt();
    if (reply_.acknowledged_counter() <= receipted) return true;
    const auto device = transaction_.device_by_id(device_);
    const std::uint64_t number =
        device ? transaction_.audit_entry_of_batch(device->key, reply_.acknowledged_counter()) : 0;
    if (number == 0) return false;
    const auto proven = prove(number, *reply_.mutable_receipt());
    return proven ? Result<bool>(true) : proven.error();
  }

  [[nodiscard]] Result<void> prove(std::uint64_t number, v1::ProvenEntry& proven) {
    const auto row = transaction_.audit_entry(number);
    // Nothing here deletes one: somebody did it to the file.
    if (!row || !newest_ || newest_->size < number)
      return Error{Errc::storage_corrupt, "Entry " + std::to_string(number) + " is gone from the audit log."};
    proven.set_number(number);
    proven.set_entry(row->entry);
    proven.set_path(audit::joined(audit::inclusion_path(number - 1, newest_->size, nodes_of(transaction_))));
    return {};
  }

  ReadTransaction& transaction_;
  const AuditLog& log_;
  const core::DeviceId& device_;
  const v1::SyncRequest& request_;
  v1::SyncReply& reply_;
  std::optional<audit::Checkpoint> named_;
  std::optional<audit::Checkpoint> newest_;
};

}  // namespace

Result<void> add_history(Store& store, const AuditLog& log, const core::DeviceId& device,
                         const v1::SyncRequest& request, v1::SyncReply& reply) {
  if (!request.checks_history()) return {};
  bool done = false;
  const auto looked = store.read([&](ReadTransaction& transaction) -> Result<void> {
    const auto added = HistoryReply(transaction, log, device, request, reply).add();
    if (!added) return added.error();
    done = *added;
    return {};
  });
  if (!looked || done) return looked;
  // What was read may have been old: a writer sees what is.
  return store.write([&](WriteTransaction& transaction) -> Result<void> {
    HistoryReply history(transaction, log, device, request, reply);
    const auto added = history.add();
    if (!added) return added.error();
    if (*added) return {};
    if (history.lacks_what_it_signed()) {
      return history.add_loss(log.note_loss(transaction, *history.named()));
    }
    if (history.named()) reply.set_log_key(log.public_key().data(), log.public_key().size());
    return {};
  });
}

}  // namespace fieldsync::server
