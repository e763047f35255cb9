// history_verifier.h: reads an exported history from its beginning and says whether every
// entry, checkpoint and batch is what it was, with nothing but the fingerprint of the log's key;
// or names the first entry that is not. tests/audit/verify.js does the same, written apart.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "audit/history_file.h"
#include "core/id.h"

namespace fieldsync::audit {

// What is wrong. `code` is stable:
//   not_a_history, file_cut, file_damaged     the file as such
//   other_log_key                             it is of another log than the fingerprint's
//   entry_altered, entry_dropped, entry_swapped, entry_repeated, entry_back_dated,
//   entry_signed_by_other_key, entry_unreadable
//   enrolment_wrong                           a device's id is not its key's
//   set_back_wrong                            it names a checkpoint that this log did not sign
//   batch_missing, batch_altered, batch_chain_broken, batch_of_unknown_device,
//   batch_signed_by_other_key
//   checkpoint_foreign, checkpoint_missing, checkpoint_set_back   the one that was to be looked for
struct HistoryFault {
  std::string_view code;
  std::string sentence;
  std::uint64_t entry = 0;  // its number; 0 where it is none
  std::optional<core::Instant> time;
};

struct HistorySummary {
  std::uint64_t entries = 0;
  std::uint64_t batches = 0;
  std::uint64_t devices = 0;  // that sent batches
  std::uint64_t set_back = 0;
  core::Instant first, last;
};

class HistoryVerifier {
 public:
  // `wanted`: the checkpoint that a device holds, where it is to be looked for.
  HistoryVerifier(const Hash& fingerprint, std::optional<Checkpoint> wanted)
      : fingerprint_(fingerprint), wanted_(std::move(wanted)) {}

  // The file's records, one after another. A fault is final, but for a missing entry that may come later.
  void take(const HistoryRecord& record);
  // No more records are of use.
  [[nodiscard]] bool is_decided() const { return fault_ && !awaits_; }
  void note_outcome(ReadOutcome outcome);
  // After the last record.
  [[nodiscard]] std::optional<HistoryFault> fault();
  // Pre: there was no fault.
  [[nodiscard]] const HistorySummary& summary() const { return summary_; }

 private:
  struct Device {
    codec::VerifyingKey key{};
    codec::ChainPosition end;
  };

  void fail(std::string_view code, std::string sentence, std::uint64_t entry = 0);
  void take_key(std::string_view bytes);
  void take_entry(std::string_view bytes);
  // The record stands where another should: whether that one comes later.
  void look_for_missing(std::string_view bytes);
  // Where the record is not the entry that stands here: says what was done to it.
  void blame(const HistoryEntry& record, const v1::AuditEntry* read, const Hash& root);
  void check_content(const v1::AuditEntry& entry);
  void take_batch(std::string_view bytes);
  void take_end(std::string_view bytes);
  [[nodiscard]] bool signs(Checkpoint checkpoint, std::uint64_t as_size) const;

  Hash fingerprint_;
  std::optional<Checkpoint> wanted_;
  bool wanted_found_ = false;
  std::uint64_t wanted_set_back_at_ = 0;
  std::optional<codec::VerifyingKey> key_;
  GrowingTree tree_;
  std::optional<core::Instant> last_time_;
  std::map<core::DeviceId, Device> devices_;
  std::optional<v1::BatchAccepted> batch_due_;
  bool ended_ = false;
  std::optional<HistoryFault> fault_;
  std::uint64_t awaits_ = 0;  // the number of an entry that may come later
  HistorySummary summary_;
};

}  // namespace fieldsync::audit
