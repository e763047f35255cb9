#include "sim/office_copy.h"

#include "codec/digest.h"
#include "codec/frame.h"
#include "codec/operation_codec.h"
#include "codec/record_codec.h"
#include "sim/story.h"
#include "sqlite/connection.h"

namespace fieldsync::sim {
namespace {

constexpr std::size_t body_bytes_max = 64 * 1024 * 1024;

std::string text_of(const core::RecordId& id) { return id.hex().substr(0, 6); }

void read_records(sqlite::Connection& connection, std::int64_t scope, OfficeScopeCopy& copy) {
  codec::FrameReader frames;
  std::uint64_t digest = 0;
  auto select = connection.prepare("SELECT id, head, body, hash FROM record WHERE scope = ?1");
  select.bind(1, scope);
  while (select.step()) {
    OfficeRecord record{std::string(select.blob(1)), {}, {}};
    auto body = frames.decompress(select.blob(2), body_bytes_max);
    if (!body) throw BrokenPromise("A record's body at the office cannot be read");
    record.body = std::move(*body);
    auto state = codec::decode_record(record.head, record.body);
    if (!state) throw BrokenPromise("A record at the office cannot be read: " + state.error().message());
    record.state = std::move(*state);
    const std::uint64_t hash = codec::hash_record(record.head, codec::hash_bytes(record.body));
    if (hash != select.unsigned_integer(3))
      throw BrokenPromise("The hash of record " + text_of(record.state.id) + " is not that of its bytes");
    digest += hash;
    copy.records.emplace(record.state.id, std::move(record));
  }
  if (digest != copy.digest) throw BrokenPromise("A scope's digest at the office is not the sum of its records");
}

std::map<std::int64_t, core::ScopeId> read_scopes(sqlite::Connection& connection, OfficeCopy& copy) {
  std::map<std::int64_t, core::ScopeId> keys;
  auto select = connection.prepare("SELECT key, id, head, digest FROM scope");
  while (select.step()) {
    const auto id = *core::ScopeId::from_bytes(select.blob(1));
    keys[select.integer(0)] = id;
    OfficeScopeCopy& scope = copy.scopes[id];
    scope.head = select.unsigned_integer(2);
    scope.digest = select.unsigned_integer(3);
  }
  for (const auto& [key, id] : keys) read_records(connection, key, copy.scopes[id]);
  return keys;
}

void read_history(sqlite::Connection& connection, std::int64_t key, OfficeDeviceCopy& device) {
  codec::FrameReader frames;
  auto select = connection.prepare("SELECT first, last, encoding, content FROM batch WHERE device = ?1 ORDER BY first");
  select.bind(1, key);
  std::uint64_t next = 1;
  while (select.step()) {
    if (select.unsigned_integer(0) != next) throw BrokenPromise("The office's batches of a device have a gap");
    auto content = frames.decompress(select.blob(3), codec::batch_content_bytes_max);
    const auto operations =
        content ? codec::split_list(*content) : Result<std::vector<std::string_view>>(content.error());
    if (!operations) throw BrokenPromise("A batch at the office cannot be read");
    for (const std::string_view bytes : *operations) device.history[next++] = std::string(bytes);
    if (select.unsigned_integer(1) != next - 1)
      throw BrokenPromise("A batch at the office holds other counters than it says");
  }
  if (device.last_counter != next - 1) throw BrokenPromise("A device's last counter is not that of its last batch");
}

void read_devices(sqlite::Connection& connection, OfficeCopy& copy, std::map<std::int64_t, core::DeviceId>& keys) {
  auto select = connection.prepare("SELECT key, id, last_counter FROM device");
  while (select.step()) {
    const auto id = *core::DeviceId::from_bytes(select.blob(1));
    keys[select.integer(0)] = id;
    copy.devices[id].last_counter = select.unsigned_integer(2);
  }
  for (const auto& [key, id] : keys) read_history(connection, key, copy.devices[id]);
  auto quarantine = connection.prepare(
      "SELECT device, counter, operation, CASE refused_for WHEN '' THEN code ELSE refused_for END FROM quarantine");
  while (quarantine.step()) {
    OfficeDeviceCopy& device = copy.devices[keys.at(quarantine.integer(0))];
    device.quarantine[quarantine.unsigned_integer(1)] = std::string(quarantine.blob(2));
    device.quarantine_code[quarantine.unsigned_integer(1)] = std::string(quarantine.text(3));
  }
}

void read_index(sqlite::Connection& connection, const std::map<std::int64_t, core::DeviceId>& devices, OfficeCopy& copy,
                const std::map<std::int64_t, core::ScopeId>& scopes) {
  std::map<std::int64_t, std::uint64_t> heads;
  std::map<std::int64_t, std::int64_t> receipts;
  auto select = connection.prepare(
      "SELECT scope, seq, device, counter, effective, received FROM operation_index ORDER BY scope, seq");
  while (select.step()) {
    if (select.unsigned_integer(1) != ++heads[select.integer(0)])
      throw BrokenPromise("The office's numbers of operations have a gap");
    const core::OperationId id{devices.at(select.integer(2)), select.unsigned_integer(3)};
    std::int64_t& received_by_ms = receipts.emplace(select.integer(0), INT64_MIN).first->second;
    received_by_ms = std::max(received_by_ms, select.integer(5));
    const bool is_new =
        copy.applied.emplace(id, IndexedOperation{id, select.unsigned_integer(1), select.integer(4), received_by_ms})
            .second;
    if (!is_new) throw BrokenPromise("The office applied one operation twice");
  }
  for (const auto& [key, id] : scopes) {
    if (heads[key] != copy.scopes.at(id).head)
      throw BrokenPromise("A scope's head is not the number of its last operation");
  }
  auto conflicts = connection.prepare("SELECT record, item, field FROM open_conflict");
  while (conflicts.step()) {
    const core::FieldKey key{*core::ItemId::from_bytes(conflicts.blob(1)),
                             static_cast<std::uint32_t>(conflicts.integer(2))};
    copy.open_conflicts.emplace(*core::RecordId::from_bytes(conflicts.blob(0)), key);
  }
}

// Whatever the store says is complete has its bytes.
void read_attachments(sqlite::Connection& connection, const std::map<std::int64_t, core::ScopeId>& scopes,
                      const Server& server, OfficeCopy& copy) {
  auto select = connection.prepare("SELECT scope, sha256, size FROM attachment WHERE complete <> 0");
  while (select.step()) {
    const auto id = *core::AttachmentId::from_bytes(select.blob(1));
    const std::string* durable = server.disk().durable(server.attachment_files().path_of(id));
    if (durable == nullptr || durable->size() != select.unsigned_integer(2))
      throw BrokenPromise("The office says that an attachment is complete, and has not got its bytes");
    // What is in quarantine is no scope's.
    const auto scope = scopes.find(select.integer(0));
    if (scope != scopes.end()) copy.complete_attachments.emplace(scope->second, id);
  }
}

}  // namespace

OfficeCopy read_office(const Server& server) {
  OfficeCopy copy;
  sqlite::Connection connection(server.file(), sqlite::OpenMode::read_only);
  const sqlite::ReadTransaction snapshot(connection);
  const auto scopes = read_scopes(connection, copy);
  std::map<std::int64_t, core::DeviceId> devices;
  read_devices(connection, copy, devices);
  read_index(connection, devices, copy, scopes);
  read_attachments(connection, scopes, server, copy);
  copy.integrity_problem = connection.integrity_problem();
  return copy;
}

}  // namespace fieldsync::sim
