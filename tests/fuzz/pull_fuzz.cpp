// pull_fuzz.cpp: what a server answers, to a phone's real store. The server that a
// device trusts may be broken; the device keeps what it has.
#include <array>
#include <memory>
#include <string>

#include "codec/frame.h"
#include "codec/record_codec.h"
#include "fuzz/input.h"
#include "fuzz/made_operations.h"
#include "fuzz/must_hold.h"
#include "fuzz/sound_team.h"
#include "fuzz/target.h"
#include "sqlite/connection.h"
#include "storage/replica.h"
#include "storage/schema.h"
#include "tls/key_pair.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;

constexpr std::size_t replies_max = 3;

// The phone's store, without the application above it.
struct Store {
  explicit Store(const std::string& path) {
    auto opened = storage::open_store(path, true);  // it would look for the file outside SQLite
    must_hold(static_cast<bool>(opened), "a sound store opens");
    connection = std::move(*opened);
  }

  std::unique_ptr<sqlite::Connection> connection;
};

struct Parts {
  explicit Parts(sqlite::Connection& connection)
      : identity(connection),
        directory(connection),
        records(connection),
        outbox(connection),
        replica(identity, directory, records, outbox) {}

  storage::Identity identity;
  storage::Directory directory;
  storage::RecordStore records;
  storage::Outbox outbox;
  storage::Replica replica;
};

// Every row of every table, one a line.
constexpr const char* all_rows =
    "SELECT quote(key) || quote(value) FROM meta UNION ALL"
    " SELECT quote(id) || quote(name) || quote(role) || quote(cursor) || quote(digest) FROM scope UNION ALL"
    " SELECT quote(id) || quote(name) FROM person UNION ALL"
    " SELECT quote(name) || quote(version) || quote(bytes) FROM form UNION ALL"
    " SELECT quote(id) || quote(scope) || quote(head) || quote(body) || quote(hash) || quote(shown_head) || "
    "quote(shown_body)"
    " || quote(stale) FROM record UNION ALL"
    " SELECT quote(counter) || quote(id) || quote(bytes) FROM operation JOIN record ON row = record UNION ALL"
    " SELECT quote(counter) || quote(code) || quote(message) FROM refused UNION ALL"
    " SELECT quote(first) || quote(last) || quote(hash) || quote(content) FROM batch";

std::string content_of(sqlite::Connection& connection) {
  std::string content;
  auto select = connection.prepare(all_rows);
  while (select.step()) content += std::string(select.text(0)) + '\n';
  return content;
}

core::RecordState make_state(fuzz::Input& input, const core::ScopeId& scope) {
  core::RecordState state;
  const core::RecordId record = fuzz::made_record(input.below(3));
  std::array<std::uint64_t, fuzz::device_count> counters{};
  for (std::uint32_t left = 1 + input.below(4); left > 0; --left) {
    const std::uint32_t device = input.below(fuzz::device_count);
    core::Operation operation = fuzz::make_operation(input, {fuzz::made_device(device), ++counters[device]}, record);
    operation.scope = scope;
    operation.form = "visit";
    const core::Stamp stamp{operation.author, operation.claimed, operation.claimed, {0}, input.number() + 1u, false};
    state.apply(std::move(operation), stamp);
  }
  return state;
}

void add_change(fuzz::Input& input, const core::ScopeId& scope, v1::ScopeChanges& changes) {
  static codec::FrameWriter writer;
  v1::RecordChange& change = *changes.add_changes();
  const auto encoded = codec::encode_record(make_state(input, scope));
  change.set_head(input.below(8) == 0 ? std::string(input.chunk()) : encoded.head);
  const std::string body = input.below(8) == 0 ? std::string(input.chunk()) : encoded.body;
  switch (input.below(5)) {
    case 0: change.set_body(body); break;
    case 1: change.mutable_changed()->ParseFromString(std::string(input.chunk())); break;
    case 2: change.mutable_changed()->ParseFromString(body); break;
    case 3: change.set_body_frame(std::string(input.chunk())); break;
    default: change.set_body_frame(writer.compress(body)); break;
  }
}

void add_scope(fuzz::Input& input, v1::SyncReply& reply) {
  v1::ScopeChanges& changes = *reply.add_scopes();
  const core::ScopeId scope = id_of(input.below(4) == 0 ? team::Place::district : team::Place::region);
  changes.set_scope(input.below(8) == 0 ? std::string(input.bytes(16)) : std::string(scope.view()));
  if (input.below(4) == 0) changes.set_name("A scope");
  changes.set_cursor(std::string(input.bytes(input.below(8))));
  changes.set_restart(input.below(4) == 0);
  changes.set_own_first_seq(input.byte());
  for (std::uint32_t left = input.below(4); left > 0; --left) add_change(input, scope, changes);
}

v1::SyncReply make_reply(fuzz::Input& input, std::uint64_t acknowledged) {
  v1::SyncReply reply;
  reply.set_acknowledged_counter(acknowledged + input.below(4));
  if (input.below(4) == 0) reply.set_acknowledged_counter(input.below(10));
  reply.set_durable_counter(input.below(2) == 0 ? reply.acknowledged_counter() : input.wide_number());
  reply.set_more(input.below(2) == 0);
  v1::BatchStamps& stamps = *reply.mutable_stamps();
  stamps.set_first_counter(acknowledged + input.below(3));
  stamps.set_received_time_ms(static_cast<std::int64_t>(input.wide_number()));
  stamps.set_clock_offset_ms(static_cast<std::int64_t>(input.wide_number()));
  for (std::uint32_t left = input.below(3); left > 0; --left) {
    v1::OperationResult& result = *reply.add_results();
    result.set_counter(input.below(4) == 0 ? input.below(10) : acknowledged + input.below(4));
    result.set_outcome(v1::OPERATION_OUTCOME_QUARANTINED);
    result.set_code("not_permitted");
  }
  reply.set_results_complete(input.below(4) == 0);
  for (std::uint32_t left = input.below(4); left > 0; --left) add_scope(input, reply);
  if (input.below(8) == 0) reply.set_directory_version(input.byte());
  if (input.below(8) == 0) reply.add_scopes_gone(id_of(team::Place::region).view().data(), core::ScopeId::size);
  if (input.below(8) == 0) reply.mutable_forms()->Add()->ParseFromString(std::string(input.chunk()));
  if (input.below(8) == 0) reply.set_forms_frame(std::string(input.chunk()));
  return reply;
}

void check_readable(Parts& parts) {
  const std::uint64_t last = parts.identity.last_counter();
  const std::uint64_t acknowledged = parts.identity.acknowledged_counter();
  must_hold(last >= acknowledged && acknowledged >= parts.identity.durable_counter(),
            "a status says no more than is true");
  parts.records.for_each_shown({}, [&](const core::RecordState& state) {
    must_hold(!state.id.is_none(), "a record that is shown has an id");
    static_cast<void>(parts.records.replica(state.id));
    return true;
  });
  static_cast<void>(parts.directory.forms());
  static_cast<void>(parts.outbox.refused());
}

// As an app does before it sends: of each save one, so that a reply may end anywhere.
void sign_batches(Parts& parts) {
  const auto key = tls::signing_key(parts.identity.private_key_pem());
  must_hold(static_cast<bool>(key), "an enrolled store has a key");
  codec::ChainPosition end = parts.identity.acknowledged();
  while (const auto batch = parts.outbox.batch_after(end, 1, parts.identity.device(), *key)) end = batch->end();
  must_hold(end.counter == parts.identity.last_counter(), "everything that waits is in a batch");
}

void take(sqlite::Connection& connection, Parts& parts, const v1::SyncReply& reply) {
  const std::string before = content_of(connection);
  try {
    sqlite::Transaction transaction(connection);
    if (parts.replica.take(reply)) {
      transaction.commit();
      check_readable(parts);
      return;
    }
  } catch (const sqlite::SqliteError& error) {
    must_hold(error.code() != Errc::storage_corrupt, "no reply makes a store look damaged");
  }
  must_hold(content_of(connection) == before, "a reply is taken whole or not at all");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  team::Team& team = fuzz::sound_team().put_back();
  const Store store(team.phone.file());
  Parts parts(*store.connection);
  sign_batches(parts);
  fuzz::Input input(data, size);
  for (std::size_t count = 0; count < replies_max && !input.is_empty(); ++count) {
    v1::SyncReply reply;
    if (input.below(4) == 0) {
      const std::string_view bytes = input.chunk();
      if (!reply.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
    } else {
      reply = make_reply(input, parts.identity.acknowledged_counter());
    }
    take(*store.connection, parts, reply);
  }
  return 0;
}
