#include "storage/record_store.h"

#include "codec/digest.h"
#include "codec/record_codec.h"
#include "storage/packing.h"

namespace fieldsync::storage {
namespace {

using core::RecordState;

[[noreturn]] void damaged(const Error& error) { throw sqlite::SqliteError(Errc::storage_corrupt, error.message()); }

// As many are read one by one about as fast as all of a large store.
constexpr std::size_t changes_max = 10'000;

}  // namespace

RecordStore::Head RecordStore::open_head(seal::Place place, std::string_view id, std::string_view cell) const {
  const std::string content = vault_.read({place, id}, cell);
  Unpacker fields(content);
  Head head;
  head.hash = fields.number();
  head.body_hash = fields.number();
  head.bytes = fields.rest();
  if (!fields.done()) damaged({Errc::storage_corrupt, "a record's head is too short"});
  return head;
}

std::string RecordStore::seal_head(seal::Place place, std::string_view id, const Head& head) const {
  std::string content;
  pack_number(content, head.hash);
  pack_number(content, head.body_hash);
  content += head.bytes;
  return vault_.seal({place, id}, content);
}

RecordState RecordStore::decode(std::string_view id, std::string_view head, std::string_view body_cell) {
  auto body = body_of(vault_.read({seal::Place::record_body, id}, body_cell));
  if (!body) damaged(body.error());
  auto state = codec::decode_record(head, *body);
  if (!state) damaged(state.error());
  return std::move(*state);
}

std::string RecordStore::shown_head_bytes(const sqlite::Statement& row) const {
  const bool told_only = row.is_null(3);
  const seal::Place place = told_only ? seal::Place::record_head : seal::Place::shown_head;
  return open_head(place, row.blob(0), row.blob(told_only ? 1 : 3)).bytes;
}

RecordState RecordStore::decode_shown(const sqlite::Statement& row, std::string_view head) {
  return decode(row.blob(0), head, row.blob(row.is_null(3) ? 2 : 4));
}

RecordState RecordStore::replica(const core::RecordId& id) {
  auto select = connection_.prepare("SELECT head, body FROM record WHERE id = ?1 AND head IS NOT NULL");
  select.bind_blob(1, id.view());
  if (!select.step()) return {};
  return decode(id.view(), open_head(seal::Place::record_head, id.view(), select.blob(0)).bytes, select.blob(1));
}

std::optional<RecordState> RecordStore::shown(const core::RecordId& id) {
  auto select = connection_.prepare("SELECT id, head, body, shown_head, shown_body FROM record WHERE id = ?1");
  select.bind_blob(1, id.view());
  if (!select.step()) return std::nullopt;
  return decode_shown(select, shown_head_bytes(select));
}

std::optional<RecordStore::ShownHead> RecordStore::shown_head(const core::RecordId& id) {
  auto select =
      connection_.prepare("SELECT row, shown_head, head, stale FROM record WHERE id = ?1 AND shown_head IS NOT NULL");
  select.bind_blob(1, id.view());
  if (!select.step()) return std::nullopt;
  const Head shown = open_head(seal::Place::shown_head, id.view(), select.blob(1));
  auto head = codec::decode_head(shown.bytes);
  if (!head) damaged(head.error());
  const bool counted = !select.is_null(2) && select.integer(3) == 0;
  const std::uint64_t replica_hash = counted ? open_head(seal::Place::record_head, id.view(), select.blob(2)).hash : 0;
  return ShownHead{select.integer(0), std::move(*head), shown.body_hash, replica_hash};
}

void RecordStore::put_shown(const RecordState& state) {
  note_change(state.id);
  const auto encoded = codec::encode_record(state);
  const std::string_view id = state.id.view();
  auto upsert = connection_.prepare(
      "INSERT INTO record(id, scope, shown_head, shown_body) VALUES(?1, ?2, ?3, ?4)"
      " ON CONFLICT(id) DO UPDATE SET shown_head = excluded.shown_head, shown_body = excluded.shown_body");
  upsert.bind_blob(1, id).bind_blob(2, state.scope.view());
  upsert.bind_copy(3, seal_head(seal::Place::shown_head, id, {0, codec::hash_bytes(encoded.body), encoded.head}));
  upsert.bind_copy(4, vault_.seal({seal::Place::record_body, id}, frame_of(encoded.body)));
  upsert.run();
}

void RecordStore::drop_shown(const core::RecordId& id) {
  note_change(id);
  auto remove = connection_.prepare("DELETE FROM record WHERE id = ?1 AND head IS NULL");
  remove.bind_blob(1, id.view()).run();
  auto update = connection_.prepare(
      "UPDATE record SET shown_head = NULL, shown_body = NULL WHERE id = ?1 AND shown_head IS NOT NULL");
  update.bind_blob(1, id.view()).run();
}

std::uint64_t RecordStore::put_replica(const RecordState& state) {
  const auto encoded = codec::encode_record(state);
  return put_replica_frame(state, encoded.head, frame_of(encoded.body), codec::hash_bytes(encoded.body));
}

std::uint64_t RecordStore::put_replica_frame(const RecordState& head, std::string_view head_bytes,
                                             std::string_view frame, std::uint64_t body_hash) {
  note_change(head.id);
  const std::uint64_t hash = codec::hash_record(head_bytes, body_hash);
  const std::uint64_t before = stored_hash(head.id);
  const std::string_view id = head.id.view();
  auto upsert = connection_.prepare(
      "INSERT INTO record(id, scope, head, body) VALUES(?1, ?2, ?3, ?4)"
      " ON CONFLICT(id) DO UPDATE SET head = excluded.head, body = excluded.body, stale = 0");
  upsert.bind_blob(1, id).bind_blob(2, head.scope.view());
  upsert.bind_copy(3, seal_head(seal::Place::record_head, id, {hash, body_hash, std::string(head_bytes)}));
  upsert.bind_copy(4, vault_.seal({seal::Place::record_body, id}, frame));
  upsert.run();
  return hash - before;
}

std::uint64_t RecordStore::confirm_shown(const ShownHead& shown) {
  note_change(shown.head.id);
  const std::string head = codec::encode_head(shown.head);
  const std::uint64_t hash = codec::hash_record(head, shown.body_hash);
  auto update = connection_.prepare(
      "UPDATE record SET head = ?2, body = shown_body, stale = 0, shown_head = NULL, shown_body = NULL WHERE row = ?1");
  update.bind(1, shown.row)
      .bind_copy(2, seal_head(seal::Place::record_head, shown.head.id.view(), {hash, shown.body_hash, head}))
      .run();
  return hash - shown.replica_hash;
}

std::uint64_t RecordStore::stored_hash(const core::RecordId& id) {
  auto select = connection_.prepare("SELECT head FROM record WHERE id = ?1 AND stale = 0 AND head IS NOT NULL");
  select.bind_blob(1, id.view());
  return select.step() ? open_head(seal::Place::record_head, id.view(), select.blob(0)).hash : 0;
}

void RecordStore::mark_stale(const core::ScopeId& scope) {
  auto update = connection_.prepare("UPDATE record SET stale = 1 WHERE scope = ?1 AND head IS NOT NULL");
  update.bind_blob(1, scope.view()).run();
}

std::vector<core::RecordId> RecordStore::drop_stale() {
  auto remove = connection_.prepare("DELETE FROM record WHERE stale = 1 AND shown_head IS NULL");
  remove.run();
  if (connection_.changes() > 0) changes_ = {{}, true};
  auto update =
      connection_.prepare("UPDATE record SET head = NULL, body = NULL, stale = 0 WHERE stale = 1 RETURNING id");
  std::vector<core::RecordId> kept;
  while (update.step()) kept.push_back(core::RecordId::from_bytes(update.blob(0)).value_or(core::RecordId{}));
  return kept;
}

std::uint64_t RecordStore::drop_replica(const core::RecordId& id) {
  note_change(id);
  const std::uint64_t before = stored_hash(id);
  auto remove = connection_.prepare("DELETE FROM record WHERE id = ?1 AND shown_head IS NULL");
  remove.bind_blob(1, id.view()).run();
  auto update = connection_.prepare("UPDATE record SET head = NULL, body = NULL, stale = 0 WHERE id = ?1");
  update.bind_blob(1, id.view()).run();
  return 0 - before;
}

void RecordStore::remove_scope(const core::ScopeId& scope) {
  changes_ = {{}, true};
  auto remove = connection_.prepare("DELETE FROM record WHERE scope = ?1");
  remove.bind_blob(1, scope.view()).run();
}

void RecordStore::for_each_shown(const std::function<bool(RecordState)>& visit) {
  auto select = connection_.prepare("SELECT id, head, body, shown_head, shown_body FROM record");
  while (select.step()) {
    if (!visit(decode_shown(select, shown_head_bytes(select)))) return;
  }
}

void RecordStore::note_change(const core::RecordId& id) {
  if (changes_.may_be_any) return;
  if (changes_.records.size() < changes_max) {
    changes_.records.push_back(id);
  } else {
    changes_ = {{}, true};
  }
}

std::vector<core::RecordId> RecordStore::ids_from(std::string_view low, std::string_view high) {
  auto select = connection_.prepare("SELECT id FROM record WHERE id >= ?1 AND id <= ?2 ORDER BY id LIMIT 2");
  select.bind_blob(1, low).bind_blob(2, high);
  std::vector<core::RecordId> ids;
  while (select.step()) {
    if (const auto id = core::RecordId::from_bytes(select.blob(0))) ids.push_back(*id);
  }
  return ids;
}

std::uint64_t RecordStore::count(const core::ScopeId& scope) {
  auto select = connection_.prepare("SELECT count(*) FROM record WHERE scope = ?1");
  select.bind_blob(1, scope.view());
  return select.step() ? select.unsigned_integer(0) : 0;
}

}  // namespace fieldsync::storage
