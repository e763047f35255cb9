#include "support/stored_device.h"

#include <catch2/catch.hpp>

#include "codec/frame.h"
#include "codec/operation_codec.h"
#include "codec/record_codec.h"
#include "codec/wire_scan.h"
#include "core/edit.h"
#include "fieldsync/v1/operation.pb.h"
#include "storage/schema.h"
#include "support/test_unlocking.h"

namespace fieldsync::testing {
namespace {

constexpr std::int64_t november_2026_ms = 1'795'500'000'000;

std::unique_ptr<sqlite::Connection> open_connection(const std::string& path) {
  auto opened = storage::open_store(path, true);
  REQUIRE(opened);
  return std::move(*opened);
}

}  // namespace

StoredDevice::Open::Open(const std::string& path) : connection(open_connection(path)) {
  REQUIRE(open_vault(*connection, vault));
}

StoredDevice::StoredDevice(const TestDevice& keys, const core::PersonId& person) : id(keys.id), key_(keys.key) {
  restart();
  storage::Transaction transaction(open_->vault);
  open_->identity.set_key("a key", "a certificate", id);
  open_->identity.set_person(person, "A person");
  transaction.commit();
}

void StoredDevice::restart() {
  open_.reset();
  open_ = std::make_unique<Open>((folder_.path() / "fieldsync.db").string());
}

core::Operation StoredDevice::save(const core::ScopeId& scope, const core::RecordId& record,
                                   std::vector<core::FieldWrite> writes, const std::string& form) {
  core::Operation operation;
  operation.id = {id, open_->identity.last_counter() + 1};
  operation.record = record;
  operation.scope = scope;
  operation.form = form;
  operation.author = open_->identity.person();
  operation.claimed = {november_2026_ms};
  operation.writes = std::move(writes);
  storage::StoredOperation stored{operation.id.counter, record, codec::encode_operation(operation), 0};
  REQUIRE(codec::scan_message(stored.bytes, *v1::Operation::descriptor(), codec::request_limits, stored.elements));
  core::RecordState state = open_->records.shown(record).value_or(core::RecordState{});
  state.apply(operation, {operation.author, operation.claimed, operation.claimed, operation.claimed, 0, false});
  storage::Transaction transaction(open_->vault);
  open_->records.put_shown(state);
  open_->outbox.append(stored);
  open_->identity.set_last_counter(operation.id.counter);
  transaction.commit();
  return operation;
}

core::Operation StoredDevice::type(const core::ScopeId& scope, const core::RecordId& record, std::uint32_t field,
                                   const std::string& text) {
  const core::RecordState state = open_->records.shown(record).value_or(core::RecordState{});
  const core::FieldBase base = core::open_field(state, {{}, field}, {id, open_->identity.person()});
  return save(scope, record, {core::write_field(base, nullptr, text)});
}

std::optional<storage::SignedBatch> StoredDevice::next_batch(std::size_t wire_bytes_max) {
  storage::Transaction transaction(open_->vault);
  auto batch = open_->outbox.batch_after(open_->identity.acknowledged(), wire_bytes_max, id, key_);
  transaction.commit();
  return batch;
}

v1::SyncRequest StoredDevice::request(const std::optional<storage::SignedBatch>& batch) {
  v1::SyncRequest request;
  request.set_protocol_version(1);
  request.set_device_time_ms(november_2026_ms);
  request.set_dictionary_id(codec::dictionary_id());
  request.set_refusals_digest(open_->outbox.refusals_digest());
  request.set_forms_version(open_->identity.forms_version());
  request.set_directory_version(open_->identity.directory_version());
  for (const storage::ScopeRow& scope : open_->directory.scopes()) {
    if (scope.cursor.empty()) continue;
    v1::ScopePosition& position = *request.add_positions();
    position.set_cursor(scope.cursor);
    position.set_digest(scope.digest);
  }
  if (!batch) return request;
  v1::Batch& wire = *request.mutable_batch();
  wire.set_first_counter(batch->first);
  if (batch->first > 1) wire.set_previous_hash_prefix(batch->previous.data(), codec::previous_hash_prefix_bytes);
  wire.set_encoding(static_cast<v1::Encoding>(batch->encoding));
  wire.set_signature(batch->signature);
  wire.set_content(batch->content);
  return request;
}

Result<storage::Taken> StoredDevice::take(const v1::SyncReply& reply) {
  storage::Transaction transaction(open_->vault);
  auto taken = open_->replica.take(reply);
  if (taken) transaction.commit();
  return taken;
}

void StoredDevice::set_position(const core::ScopeId& scope, std::string_view cursor, std::uint64_t digest) {
  storage::Transaction transaction(open_->vault);
  open_->directory.set_position(scope, cursor, digest);
  transaction.commit();
}

std::vector<std::string> StoredDevice::texts(const core::RecordId& record, std::uint32_t field) {
  std::vector<std::string> texts;
  const auto state = open_->records.shown(record);
  if (!state) return texts;
  for (const core::Sibling* sibling : state->shown_order({{}, field}))
    texts.push_back(std::get<std::string>(sibling->value));
  return texts;
}

std::map<std::string, std::string> StoredDevice::shown_records() {
  std::map<std::string, std::string> shown;
  open_->records.for_each_shown([&](const core::RecordState& state) {
    const auto encoded = codec::encode_record(state);
    shown[state.id.hex()] = core::to_hex(encoded.head) + " " + core::to_hex(encoded.body);
    return true;
  });
  return shown;
}

}  // namespace fieldsync::testing
