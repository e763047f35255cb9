// outbox.h: this device's own operations on their way to the server.
//
// An operation is stored before the person is told that it is saved, stays as
// exactly the bytes that will be sent, and leaves only when the replica holds it
// or the office keeps it in quarantine. Batches are stored before they are sent:
// after any crash the same counters are never signed twice with other content.
//
// Where a link carries less than it was thought to, the same operations are cut anew.
// So the batches form a tree, of which the server follows one branch. While the store
// is this device's, none is forgotten: each may have been sent, and may yet arrive at a
// server that was restored.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/batch.h"
#include "codec/frame.h"
#include "core/operation.h"
#include "fieldsync/v1/sync.pb.h"
#include "sqlite/connection.h"
#include "storage/vault.h"

namespace fieldsync::storage {

struct StoredOperation {
  std::uint64_t counter = 0;
  core::RecordId record;
  std::string bytes;
  std::size_t elements = 0;  // as the server will count them, see codec/wire_scan.h
};

// An operation that waits, and where it belongs.
struct WaitingOperation {
  std::uint64_t counter = 0;
  core::RecordId record;
  core::ScopeId scope;
};

struct SignedBatch {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  codec::BatchHash hash{};
  codec::BatchHash previous{};
  codec::Encoding encoding = codec::Encoding::zstd;
  std::string signature;
  std::string content;
  std::size_t content_bytes = 0;

  [[nodiscard]] codec::ChainPosition end() const { return {last, hash}; }
};

struct TimedOperation {
  std::uint64_t counter = 0;
  core::Instant effective;
};

struct Refusal {
  core::DeviceId former_device;  // none for this device as it is now
  std::uint64_t counter = 0;
  core::RecordId record;
  std::string code;
  std::string message;
};

// Calls throw SqliteError.
class Outbox {
 public:
  Outbox(sqlite::Connection& connection, const Vault& vault) : connection_(connection), vault_(vault) {}

  // The store must know the operation's record.
  void append(const StoredOperation& operation);
  // The record's operations with a greater counter, in order.
  [[nodiscard]] std::vector<StoredOperation> of_record(const core::RecordId& record, std::uint64_t after);
  [[nodiscard]] std::vector<WaitingOperation> between(std::uint64_t first, std::uint64_t last);
  // Whether one of the scope's operations has a greater counter.
  [[nodiscard]] bool waits_for_scope(const core::ScopeId& scope, std::uint64_t after);
  void remove_of_scope(const core::ScopeId& scope);
  void remove_of_record(const core::RecordId& record, std::uint64_t up_to);
  void remove_between(std::uint64_t first, std::uint64_t last);
  void remove(std::vector<std::uint64_t> counters);
  // Keeps the operation aside with the office's reason, also where it was forgotten as
  // applied. Its record; nothing where that was known already, or the store never
  // signed such an operation.
  std::optional<core::RecordId> refuse(std::uint64_t counter, const std::string& code, const std::string& message);
  // It was applied after all, or is sent again.
  void forget_refusal(std::uint64_t counter);
  // Without those of a former id of this device.
  [[nodiscard]] std::uint64_t refusals_digest();
  // Those that are not settled.
  [[nodiscard]] std::vector<Refusal> refused();
  // `former`: the device's id that this store gave up, none for its own. Nothing where it is settled.
  [[nodiscard]] std::optional<std::string> refused_bytes(const core::DeviceId& former, std::uint64_t counter);
  // Its author amended it, or lets it be.
  void settle_refusal(const core::DeviceId& former, std::uint64_t counter);
  // Without those that were sent under a former id of this device.
  [[nodiscard]] std::uint64_t refused_count();
  [[nodiscard]] bool has_refused(const core::RecordId& record);

  // How the office stamped own operations: those of a batch up to `last`, or one that
  // came back with its record because the reply to its batch was lost.
  void note_stamps(const v1::BatchStamps& stamps, std::uint64_t last);
  void note_effective_time(std::uint64_t counter, core::Instant effective);
  // As far as they are known, of the operations that wait.
  [[nodiscard]] std::vector<TimedOperation> effective_times(std::uint64_t first, std::uint64_t last);

  // The batch that follows `after` and has about `wire_bytes_max` bytes as
  // sent: one that was stored before where it fits, else a new one, signed and
  // stored. Nothing where no operation follows.
  [[nodiscard]] std::optional<SignedBatch> batch_after(const codec::ChainPosition& after, std::size_t wire_bytes_max,
                                                       const core::DeviceId& device, const codec::SigningKey& key);
  // The batch to prepare while `in_flight` travels. Nothing while it is not sure
  // how the server cut: then the answer is awaited first.
  [[nodiscard]] std::optional<SignedBatch> batch_ahead_of(const SignedBatch& in_flight, std::size_t wire_bytes_max,
                                                          const core::DeviceId& device, const codec::SigningKey& key);
  // The server was restored to an older time: puts the operations after `counter`
  // back among those that wait, from the batches in which they were sent, and
  // returns their records, of which some may now have nothing to show yet.
  [[nodiscard]] Result<std::vector<core::RecordId>> reopen_after(std::uint64_t counter);
  // Puts one back: it waits again for the server, or for its record. Where it was
  // refused, it is no longer. Its record.
  [[nodiscard]] Result<core::RecordId> reopen(std::uint64_t counter, std::string_view bytes);

  // The end of the batch that this store signed, that ends at `last` and whose hash
  // begins so; the chain's beginning for 0. Nothing where this store signed none.
  [[nodiscard]] std::optional<codec::ChainPosition> position_at(std::uint64_t last, std::string_view hash_prefix);
  // Every operation that waits, or that the replica does not hold, in order.
  [[nodiscard]] std::vector<StoredOperation> all();
  // Those that the office keeps in quarantine, without those of a former id.
  [[nodiscard]] std::vector<StoredOperation> refused_operations();
  // The device takes another id: nothing waits any more, and what was signed up to
  // `last` or refused is kept aside under the former one.
  void set_aside(const core::DeviceId& former, std::uint64_t last);

  // Nothing of what was read or written stays in memory.
  void forget() {
    writer_.release();
    reader_.release();
  }

 private:
  friend class Sealing;
  // Columns: counter, record, content.
  [[nodiscard]] StoredOperation read_operation(const sqlite::Statement& row) const;
  // What the office said of an operation, and the operation.
  struct Refused {
    std::string code;
    std::string message;
    std::string bytes;
  };
  [[nodiscard]] Refused read_refused(std::uint64_t counter, std::string_view content) const;
  [[nodiscard]] std::string seal_refused(std::uint64_t counter, const Refused& refused) const;
  [[nodiscard]] std::string seal_head(const SignedBatch& batch) const;
  [[nodiscard]] std::string seal_content(const SignedBatch& batch) const;
  // Columns: first, last, head. Without its content.
  [[nodiscard]] SignedBatch read_batch(const sqlite::Statement& row) const;
  [[nodiscard]] std::string read_content(std::uint64_t first, std::uint64_t last, std::string_view cell) const;
  [[nodiscard]] std::optional<SignedBatch> stored_batch(const codec::ChainPosition& after, std::size_t wire_bytes_max);
  [[nodiscard]] std::optional<SignedBatch> cut(const codec::ChainPosition& after, std::size_t wire_bytes_max);
  void store(const SignedBatch& batch);
  // As it waits, or as it was signed.
  [[nodiscard]] std::optional<StoredOperation> find(std::uint64_t counter);

  sqlite::Connection& connection_;
  const Vault& vault_;
  codec::FrameWriter writer_;
  codec::FrameReader reader_;
  // What a byte of operations comes to on the wire, learned batch by batch.
  double compression_ = 0.25;
};

}  // namespace fieldsync::storage
