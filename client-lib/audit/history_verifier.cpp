#include "audit/history_verifier.h"

namespace fieldsync::audit {
namespace {

// How far away the genuine place of a record is looked for where its number was written over.
constexpr std::uint64_t places_tried = 8;

std::string numbered(std::uint64_t entry) { return "Entry " + std::to_string(entry); }

// Only as a server writes it: other readers of the same bytes, of which one takes the first of two contents and
// another the last, would see another entry.
std::optional<v1::AuditEntry> read_audit_entry(const std::string& bytes) {
  v1::AuditEntry entry;
  if (!entry.ParseFromString(bytes)) return std::nullopt;
  entry.DiscardUnknownFields();
  if (entry.SerializeAsString() != bytes) return std::nullopt;
  return entry;
}

}  // namespace

void HistoryVerifier::fail(std::string_view code, std::string sentence, std::uint64_t entry) {
  if (!fault_) fault_ = HistoryFault{code, std::move(sentence), entry, {}};
}

bool HistoryVerifier::signs(Checkpoint checkpoint, std::uint64_t as_size) const {
  checkpoint.size = as_size;
  return is_signed_by(checkpoint, *key_);
}

void HistoryVerifier::take(const HistoryRecord& record) {
  if (awaits_ != 0) {
    if (record.kind == HistoryRecordKind::entry) look_for_missing(record.bytes);
    return;
  }
  if (fault_) return;
  if (ended_) return fail("file_damaged", "Something follows after the end of the history.");
  if (!key_ && record.kind != HistoryRecordKind::key)
    return fail("file_damaged", "The history does not begin with its key.");
  if (batch_due_ && record.kind != HistoryRecordKind::batch) {
    return fail("batch_missing", numbered(tree_.size()) + " tells of a batch that is not in the file.", tree_.size());
  }
  switch (record.kind) {
    case HistoryRecordKind::key: return take_key(record.bytes);
    case HistoryRecordKind::entry: return take_entry(record.bytes);
    case HistoryRecordKind::batch: return take_batch(record.bytes);
    case HistoryRecordKind::end: return take_end(record.bytes);
  }
}

void HistoryVerifier::take_key(std::string_view bytes) {
  if (key_) return fail("file_damaged", "The history has a second key.");
  key_ = read_key(bytes);
  if (!key_ || fingerprint_of(*key_) != fingerprint_) {
    return fail("other_log_key", "The history is signed by another key than that of the fingerprint.");
  }
  if (wanted_ && !is_signed_by(*wanted_, *key_))
    fail("checkpoint_foreign", "The checkpoint was not signed by the key of this history.");
}

void HistoryVerifier::take_entry(std::string_view bytes) {
  const auto record = read_entry(bytes);
  const std::uint64_t number = tree_.size() + 1;
  if (!record) return fail("file_damaged", numbered(number) + " is too short to be one.", number);
  const auto read = read_audit_entry(record->entry);
  GrowingTree grown = tree_;
  grown.append(hash_leaf(record->entry));
  const Checkpoint& checkpoint = record->checkpoint;
  const bool is_sound = checkpoint.size == number && read && read->time_ms() == checkpoint.time.ms &&
                        (!last_time_ || *last_time_ <= checkpoint.time) && grown.root() == checkpoint.root &&
                        is_signed_by(checkpoint, *key_);
  if (!is_sound) {
    blame(*record, read ? &*read : nullptr, grown.root());
    if (fault_) fault_->time = checkpoint.time;
    return;
  }
  tree_ = std::move(grown);
  last_time_ = checkpoint.time;
  if (summary_.entries++ == 0) summary_.first = checkpoint.time;
  summary_.last = checkpoint.time;
  if (wanted_ && wanted_->size == number) wanted_found_ = wanted_->root == checkpoint.root;
  check_content(*read);
  if (fault_) fault_->time = checkpoint.time;
}

void HistoryVerifier::blame(const HistoryEntry& record, const v1::AuditEntry* read, const Hash& root) {
  const std::uint64_t number = tree_.size() + 1;
  const Checkpoint& checkpoint = record.checkpoint;
  // Of the log, but of another place: as it says, or with its number written over.
  std::uint64_t genuine = 0;
  if (checkpoint.size != number && is_signed_by(checkpoint, *key_)) genuine = checkpoint.size;
  for (std::uint64_t away = 1; genuine == 0 && away <= places_tried; ++away) {
    if (signs(checkpoint, number + away)) genuine = number + away;
    if (genuine == 0 && number > away && signs(checkpoint, number - away)) genuine = number - away;
  }
  if (genuine > number) {
    awaits_ = number;
    return fail("entry_dropped",
                numbered(number) + " is not in the file: entry " + std::to_string(genuine) + " stands in its place.",
                number);
  }
  if (genuine != 0) {
    return fail(
        "entry_repeated",
        "In the place of entry " + std::to_string(number) + " entry " + std::to_string(genuine) + " stands once more.",
        number);
  }
  const bool goes_back = read != nullptr && last_time_ && read->time_ms() < last_time_->ms;
  if (goes_back || (read != nullptr && read->time_ms() != checkpoint.time.ms)) {
    return fail("entry_back_dated",
                numbered(number) + (goes_back ? " is dated before the entry that it follows."
                                              : " has another time than the one that was signed."),
                number);
  }
  if (root == checkpoint.root && !signs(checkpoint, number))
    return fail("entry_signed_by_other_key", numbered(number) + " is not signed by the log's key.", number);
  if (root == checkpoint.root && read == nullptr)
    return fail("entry_unreadable", numbered(number) + " cannot be read: it is damaged, or of a newer version.",
                number);
  fail("entry_altered", numbered(number) + " is not what was signed.", number);
}

void HistoryVerifier::look_for_missing(std::string_view bytes) {
  const auto record = read_entry(bytes);
  if (!record || !signs(record->checkpoint, awaits_)) return;
  fault_->code = "entry_swapped";
  fault_->sentence = numbered(awaits_) + " stands further on in the file, and another in its place.";
  fault_->time = record->checkpoint.time;
  awaits_ = 0;
}

void HistoryVerifier::check_content(const v1::AuditEntry& entry) {
  const std::uint64_t number = tree_.size();
  switch (entry.content_case()) {
    case v1::AuditEntry::kBatch: batch_due_ = entry.batch(); return;
    case v1::AuditEntry::kEnrolment: {
      const auto id = core::DeviceId::from_bytes(entry.enrolment().device());
      const auto key = read_key(entry.enrolment().public_key());
      if (!id || !key || view_of(sha256(view_of_key(*key))).substr(0, core::DeviceId::size) != id->view()) {
        return fail("enrolment_wrong", numbered(number) + " gives a device a key that is not its own.", number);
      }
      devices_.try_emplace(*id, Device{*key, {}});
      return;
    }
    case v1::AuditEntry::kSetBack: {
      const auto lost = read_checkpoint(entry.set_back().lost());
      if (!lost || !is_signed_by(*lost, *key_)) {
        return fail("set_back_wrong", numbered(number) + " names a checkpoint that this log never signed.", number);
      }
      ++summary_.set_back;
      if (wanted_ && *lost == *wanted_) wanted_set_back_at_ = number;
      return;
    }
    case v1::AuditEntry::kAct:
    case v1::AuditEntry::kRead: return;
    case v1::AuditEntry::CONTENT_NOT_SET:
      return fail("entry_unreadable", numbered(number) + " tells of nothing.", number);
  }
}

void HistoryVerifier::take_batch(std::string_view bytes) {
  const std::uint64_t number = tree_.size();
  const auto due = std::exchange(batch_due_, std::nullopt);
  if (!due) {
    awaits_ = number + 1;
    return fail("entry_dropped", numbered(awaits_) + " is not in the file: a batch stands in its place.", awaits_);
  }
  const auto fault = [&](std::string_view code, const std::string& what) {
    fail(code, "The batch of entry " + std::to_string(number) + what, number);
    fault_->time = last_time_;
  };
  v1::Batch batch;
  const auto id = core::DeviceId::from_bytes(due->device());
  const auto device = id ? devices_.find(*id) : devices_.end();
  if (device == devices_.end()) return fault("batch_of_unknown_device", " is of a device that was never enrolled.");
  // One way to write it alone: nothing unsigned may stand in it.
  const bool is_readable = batch.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  batch.DiscardUnknownFields();
  if (!is_readable || batch_record(batch).substr(history_record_head_bytes) != bytes)
    return fault("batch_altered", " cannot be read.");
  Device& by = device->second;
  if (due->first_counter() != by.end.counter + 1 || due->last_counter() < due->first_counter())
    return fault("batch_chain_broken", " does not follow upon the batch that its device signed before.");
  const codec::BatchHash hash = codec::hash_batch(
      {*id, batch.first_counter(), by.end.hash, static_cast<codec::Encoding>(batch.encoding())}, batch.content());
  const std::string_view chain = by.end.counter == 0 ? std::string_view() : codec::bytes_of(by.end.hash);
  const bool follows = batch.previous_hash_prefix() == chain.substr(0, codec::previous_hash_prefix_bytes);
  if (!follows || batch.first_counter() != due->first_counter() || codec::bytes_of(hash) != due->batch_hash()) {
    return follows ? fault("batch_altered", " is not what its entry names.")
                   : fault("batch_chain_broken", " does not follow upon the batch that its device signed before.");
  }
  if (!codec::verify_batch(hash, batch.signature(), by.key))
    return fault("batch_signed_by_other_key", " is not signed by its device.");
  if (by.end.counter == 0) ++summary_.devices;
  by.end = {due->last_counter(), hash};
  ++summary_.batches;
}

void HistoryVerifier::take_end(std::string_view bytes) {
  const auto size = read_end(bytes);
  if (!size) return fail("file_damaged", "The end of the history cannot be read.");
  ended_ = true;
  if (*size == tree_.size()) return;
  const std::uint64_t number = tree_.size() + 1;
  if (*size > tree_.size()) {
    return fail("entry_dropped",
                numbered(number) + " is not in the file, which says that there were " + std::to_string(*size) + ".",
                number);
  }
  fail("file_damaged", "The file says that there were fewer entries than it holds.");
}

void HistoryVerifier::note_outcome(ReadOutcome outcome) {
  awaits_ = 0;
  if (outcome == ReadOutcome::damaged)
    fail("file_damaged", "What follows upon entry " + std::to_string(tree_.size()) + " is not a record.",
         tree_.size() + 1);
  if (outcome == ReadOutcome::cut || (outcome == ReadOutcome::end_of_file && !ended_))
    fail("file_cut", "The file was cut off after entry " + std::to_string(tree_.size()) + ".", tree_.size() + 1);
}

std::optional<HistoryFault> HistoryVerifier::fault() {
  if (fault_ || !wanted_ || wanted_found_) return fault_;
  if (wanted_set_back_at_ != 0) {
    fail("checkpoint_set_back",
         "The history does not hold the checkpoint, and admits it: " + numbered(wanted_set_back_at_) +
             " says that it was set back.",
         wanted_set_back_at_);
  } else if (wanted_->size > tree_.size()) {
    fail("checkpoint_missing",
         "The history ends with entry " + std::to_string(tree_.size()) + ", before the checkpoint's last entry.",
         tree_.size() + 1);
  } else {
    fail("checkpoint_missing", "The history does not hold the checkpoint: one of its first " +
                                   std::to_string(wanted_->size) + " entries is another.");
  }
  return fault_;
}

}  // namespace fieldsync::audit
