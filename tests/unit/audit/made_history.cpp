#include "made_history.h"

#include <sodium.h>

#include <algorithm>
#include <sstream>

namespace fieldsync::testing {

codec::SigningKey signing_key_from(std::uint8_t first) {
  std::array<std::uint8_t, crypto_sign_SEEDBYTES> seed{first};
  codec::VerifyingKey public_key{};
  codec::SigningKey key{};
  crypto_sign_seed_keypair(public_key.data(), key.data(), seed.data());
  return key;
}

SigningDevice::SigningDevice(std::uint8_t seed) : key(signing_key_from(seed)) {
  const audit::Hash hash = audit::sha256(audit::view_of_key(audit::public_key_of(key)));
  std::copy_n(hash.begin(), id.bytes.size(), id.bytes.begin());
}

v1::Batch SigningDevice::next_batch(const std::string& content, std::uint64_t operations) {
  v1::Batch batch;
  batch.set_first_counter(end.counter + 1);
  if (end.counter > 0) batch.set_previous_hash_prefix(end.hash.data(), codec::previous_hash_prefix_bytes);
  batch.set_content(content);
  const auto hash = codec::hash_batch({id, end.counter + 1, end.hash, codec::Encoding::plain}, content);
  const auto signature = codec::sign_batch(hash, key);
  batch.set_signature(signature.data(), signature.size());
  end = {end.counter + operations, hash};
  return batch;
}

void MadeHistory::append(v1::AuditEntry entry, std::optional<v1::Batch> batch) {
  entry.set_time_ms(now_ms++);
  records.push_back({{{}, entry.SerializeAsString()}, std::move(batch)});
  sign_anew(records.size() - 1);
}

void MadeHistory::enrol(const SigningDevice& device) {
  v1::AuditEntry entry;
  const auto public_key = audit::public_key_of(device.key);
  entry.mutable_enrolment()->set_device(device.id.view().data(), core::DeviceId::size);
  entry.mutable_enrolment()->set_public_key(public_key.data(), public_key.size());
  append(entry);
}

void MadeHistory::accept(SigningDevice& device, const std::string& content, std::uint64_t operations) {
  v1::AuditEntry entry;
  v1::BatchAccepted& accepted = *entry.mutable_batch();
  accepted.set_device(device.id.view().data(), core::DeviceId::size);
  accepted.set_first_counter(device.end.counter + 1);
  const v1::Batch batch = device.next_batch(content, operations);
  accepted.set_last_counter(device.end.counter);
  accepted.set_batch_hash(device.end.hash.data(), device.end.hash.size());
  append(entry, batch);
}

void MadeHistory::act(const std::string& name) {
  v1::AuditEntry entry;
  entry.mutable_act()->set_act(name);
  append(entry);
}

void MadeHistory::admit_loss(const audit::Checkpoint& lost) {
  v1::AuditEntry entry;
  audit::write_checkpoint(lost, *entry.mutable_set_back()->mutable_lost());
  append(entry);
}

void MadeHistory::sign_anew(std::size_t first) {
  audit::GrowingTree tree;
  for (std::size_t i = 0; i < records.size(); ++i) {
    audit::HistoryEntry& record = records[i].entry;
    tree.append(audit::hash_leaf(record.entry));
    if (i < first) continue;
    v1::AuditEntry entry;
    static_cast<void>(entry.ParseFromString(record.entry));
    record.checkpoint = {tree.size(), {entry.time_ms()}, tree.root(), {}};
    audit::sign(record.checkpoint, key);
  }
}

std::string MadeHistory::file() const {
  std::string bytes(audit::history_file_begins);
  bytes += audit::key_record(audit::public_key_of(key));
  for (const Record& record : records) {
    bytes += audit::entry_record(record.entry);
    if (record.batch) bytes += audit::batch_record(*record.batch);
  }
  return bytes + audit::end_record(records.size());
}

std::string verdict_of(const std::string& file, const audit::Hash& fingerprint,
                       std::optional<audit::Checkpoint> wanted) {
  std::istringstream stream(file.substr(audit::history_file_begins.size()));
  audit::HistoryVerifier verifier(fingerprint, std::move(wanted));
  audit::HistoryRecord record;
  while (!verifier.is_decided()) {
    const auto outcome = audit::read_record(stream, record);
    if (outcome == audit::ReadOutcome::record) {
      verifier.take(record);
      continue;
    }
    verifier.note_outcome(outcome);
    break;
  }
  const auto fault = verifier.fault();
  return fault ? std::string(fault->code) + " " + std::to_string(fault->entry) : "sound";
}

}  // namespace fieldsync::testing
