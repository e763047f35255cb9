#include "support/test_device.h"

#include <sodium.h>

#include <cstring>

#include "codec/digest.h"
#include "codec/frame.h"
#include "codec/operation_codec.h"
#include "codec/record_codec.h"
#include "service/enrolment.h"

namespace fieldsync::testing {
namespace {

constexpr std::int64_t november_2026_ms = 1'795'500'000'000;

codec::BatchHeader header_of(const TestDevice& device, const v1::Batch& batch) {
  return {device.id, batch.first_counter(), device.last_hash, static_cast<codec::Encoding>(batch.encoding())};
}

}  // namespace

TestDevice::TestDevice() : clock_ms(november_2026_ms) {
  public_key.resize(crypto_sign_PUBLICKEYBYTES);
  crypto_sign_keypair(reinterpret_cast<unsigned char*>(public_key.data()), key.data());
  id = server::device_id_of(public_key);
}

core::Operation TestDevice::save(const core::ScopeId& scope, const core::RecordId& record,
                                 std::vector<core::FieldWrite> writes, std::size_t before, std::string form) const {
  core::Operation operation;
  operation.id = {id, last_counter + 1 + before};
  operation.record = record;
  operation.scope = scope;
  operation.form = std::move(form);
  operation.claimed = {clock_ms};
  operation.writes = std::move(writes);
  return operation;
}

v1::Batch TestDevice::batch(const std::vector<core::Operation>& operations) const {
  std::vector<std::string> encoded;
  for (const core::Operation& operation : operations) encoded.push_back(codec::encode_operation(operation));
  codec::FrameWriter writer;
  return batch_of(writer.compress(list_of(encoded)), v1::ENCODING_ZSTD);
}

v1::Batch TestDevice::batch_of(const std::string& content, v1::Encoding encoding) const {
  v1::Batch batch;
  batch.set_first_counter(last_counter + 1);
  if (last_counter > 0) batch.set_previous_hash_prefix(last_hash.data(), codec::previous_hash_prefix_bytes);
  batch.set_encoding(encoding);
  batch.set_content(content);
  sign(batch);
  return batch;
}

void TestDevice::sign(v1::Batch& batch) const {
  const auto signature = codec::sign_batch(codec::hash_batch(header_of(*this, batch), batch.content()), key);
  batch.set_signature(signature.data(), signature.size());
}

v1::SyncRequest TestDevice::request() const {
  v1::SyncRequest request;
  request.set_protocol_version(1);
  request.set_device_time_ms(clock_ms);
  request.set_refusals_digest(refusals_digest);
  for (const auto& [scope, cursor] : cursors) {
    v1::ScopePosition& position = *request.add_positions();
    position.set_cursor(cursor);
    position.set_digest(digest(scope));
  }
  return request;
}

v1::SyncRequest TestDevice::request(const v1::Batch& batch) const {
  v1::SyncRequest request = this->request();
  *request.mutable_batch() = batch;
  return request;
}

void TestDevice::acknowledged(const v1::Batch& batch, std::uint64_t counter) {
  last_hash = codec::hash_batch(header_of(*this, batch), batch.content());
  last_counter = counter;
}

void TestDevice::take(const v1::SyncReply& reply) {
  for (const v1::ScopeChanges& scope : reply.scopes()) {
    auto& kept = records[scope.scope()];
    if (scope.restart()) kept.clear();
    if (!scope.cursor().empty()) cursors[scope.scope()] = scope.cursor();
    for (const v1::RecordChange& change : scope.changes()) {
      const std::string record = codec::decode_head(change.head())->id.hex();
      if (!change.has_changed()) {
        kept[record] = {change.head(), change.body()};
        continue;
      }
      const auto before = kept.find(record);
      if (before == kept.end()) ++changes_without_record;
      const auto state = before == kept.end() ? Result<core::RecordState>(core::RecordState{})
                                              : codec::decode_record(before->second.head, before->second.body);
      const auto after = codec::apply_changed_fields(*state, change.head(), change.changed().SerializeAsString());
      if (after) kept[record] = {change.head(), codec::encode_body(*after)};
    }
    for (const std::string& gone : scope.records_gone()) kept.erase(core::RecordId::from_bytes(gone)->hex());
  }
}

std::uint64_t TestDevice::digest(const std::string& scope) const {
  std::uint64_t sum = 0;
  const auto kept = records.find(scope);
  if (kept == records.end()) return 0;
  for (const auto& [record_id, record] : kept->second)
    sum += codec::hash_record(record.head, codec::hash_bytes(record.body));
  return sum;
}

std::string list_of(const std::vector<std::string>& operations) {
  std::string list;
  for (const std::string& operation : operations) codec::append_to_list(list, operation);
  return list;
}

core::RecordId new_record() {
  core::RecordId record;
  randombytes_buf(record.bytes.data(), record.bytes.size());
  return record;
}

}  // namespace fieldsync::testing
