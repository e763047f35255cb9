#include "storage/record_store.h"

#include "codec/digest.h"
#include "codec/record_codec.h"

namespace fieldsync::storage {
namespace {

using core::RecordState;

[[noreturn]] void damaged(const Error& error) { throw sqlite::SqliteError(Errc::storage_corrupt, error.message()); }

}  // namespace

RecordState RecordStore::decode(std::string_view head, std::string_view frame) {
  auto body = body_of(frame);
  if (!body) damaged(body.error());
  auto state = codec::decode_record(head, *body);
  if (!state) damaged(state.error());
  return std::move(*state);
}

RecordState RecordStore::replica(const core::RecordId& id) {
  auto select = connection_.prepare("SELECT head, body FROM record WHERE id = ?1 AND head IS NOT NULL");
  select.bind_blob(1, id.view());
  return select.step() ? decode(select.blob(0), select.blob(1)) : RecordState{};
}

std::optional<RecordState> RecordStore::shown(const core::RecordId& id) {
  auto select =
      connection_.prepare("SELECT coalesce(shown_head, head), coalesce(shown_body, body) FROM record WHERE id = ?1");
  select.bind_blob(1, id.view());
  if (!select.step()) return std::nullopt;
  return decode(select.blob(0), select.blob(1));
}

std::optional<RecordStore::ShownHead> RecordStore::shown_head(const core::RecordId& id) {
  auto select = connection_.prepare(
      "SELECT row, shown_head, shown_body_hash, hash FROM record WHERE id = ?1 AND shown_head IS NOT NULL");
  select.bind_blob(1, id.view());
  if (!select.step()) return std::nullopt;
  auto head = codec::decode_head(select.blob(1));
  if (!head) damaged(head.error());
  return ShownHead{select.integer(0), std::move(*head), select.unsigned_integer(2), select.unsigned_integer(3)};
}

void RecordStore::put_shown(const RecordState& state) {
  const auto encoded = codec::encode_record(state);
  const std::string frame = frame_of(encoded.body);
  auto upsert = connection_.prepare(
      "INSERT INTO record(id, scope, form, shown_head, shown_body, shown_body_hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
      " ON CONFLICT(id) DO UPDATE SET shown_head = ?4, shown_body = ?5, shown_body_hash = ?6");
  upsert.bind_blob(1, state.id.view()).bind_blob(2, state.scope.view()).bind_text(3, state.form);
  upsert.bind_blob(4, encoded.head).bind_blob(5, frame).bind_unsigned(6, codec::hash_bytes(encoded.body));
  upsert.run();
}

void RecordStore::drop_shown(const core::RecordId& id) {
  auto remove = connection_.prepare("DELETE FROM record WHERE id = ?1 AND head IS NULL");
  remove.bind_blob(1, id.view()).run();
  auto update = connection_.prepare(
      "UPDATE record SET shown_head = NULL, shown_body = NULL, shown_body_hash = NULL WHERE id = ?1 AND shown_head IS "
      "NOT NULL");
  update.bind_blob(1, id.view()).run();
}

std::uint64_t RecordStore::put_replica(const RecordState& state) {
  const auto encoded = codec::encode_record(state);
  return put_replica_frame(state, encoded.head, frame_of(encoded.body), codec::hash_bytes(encoded.body));
}

std::uint64_t RecordStore::put_replica_frame(const RecordState& head, std::string_view head_bytes,
                                             std::string_view frame, std::uint64_t body_hash) {
  const std::uint64_t hash = codec::hash_record(head_bytes, body_hash);
  const std::uint64_t before = stored_hash(head.id);
  auto upsert = connection_.prepare(
      "INSERT INTO record(id, scope, form, head, body, body_hash, hash) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
      " ON CONFLICT(id) DO UPDATE SET head = ?4, body = ?5, body_hash = ?6, hash = ?7, stale = 0");
  upsert.bind_blob(1, head.id.view()).bind_blob(2, head.scope.view()).bind_text(3, head.form);
  upsert.bind_blob(4, head_bytes).bind_blob(5, frame).bind_unsigned(6, body_hash).bind_unsigned(7, hash);
  upsert.run();
  return hash - before;
}

std::uint64_t RecordStore::confirm_shown(const ShownHead& shown) {
  const std::string head = codec::encode_head(shown.head);
  const std::uint64_t hash = codec::hash_record(head, shown.body_hash);
  auto update = connection_.prepare(
      "UPDATE record SET head = ?2, body = shown_body, body_hash = shown_body_hash, hash = ?3, stale = 0,"
      " shown_head = NULL, shown_body = NULL, shown_body_hash = NULL WHERE row = ?1");
  update.bind(1, shown.row).bind_blob(2, head).bind_unsigned(3, hash).run();
  return hash - shown.replica_hash;
}

std::uint64_t RecordStore::stored_hash(const core::RecordId& id) {
  auto select = connection_.prepare("SELECT hash FROM record WHERE id = ?1");
  select.bind_blob(1, id.view());
  return select.step() ? select.unsigned_integer(0) : 0;
}

void RecordStore::mark_stale(const core::ScopeId& scope) {
  auto update = connection_.prepare("UPDATE record SET stale = 1, hash = 0 WHERE scope = ?1 AND head IS NOT NULL");
  update.bind_blob(1, scope.view()).run();
}

std::vector<core::RecordId> RecordStore::drop_stale() {
  auto remove = connection_.prepare("DELETE FROM record WHERE stale = 1 AND shown_head IS NULL");
  remove.run();
  auto update = connection_.prepare(
      "UPDATE record SET head = NULL, body = NULL, body_hash = NULL, stale = 0 WHERE stale = 1 RETURNING id");
  std::vector<core::RecordId> kept;
  while (update.step()) kept.push_back(core::RecordId::from_bytes(update.blob(0)).value_or(core::RecordId{}));
  return kept;
}

void RecordStore::remove_scope(const core::ScopeId& scope) {
  auto remove = connection_.prepare("DELETE FROM record WHERE scope = ?1");
  remove.bind_blob(1, scope.view()).run();
}

void RecordStore::for_each_shown(std::string_view form, const std::function<bool(RecordState)>& visit) {
  auto select = form.empty()
                    ? connection_.prepare("SELECT coalesce(shown_head, head), coalesce(shown_body, body) FROM record")
                    : connection_.prepare(
                          "SELECT coalesce(shown_head, head), coalesce(shown_body, body)"
                          " FROM record WHERE form = ?1");
  if (!form.empty()) select.bind_text(1, form);
  while (select.step()) {
    if (!visit(decode(select.blob(0), select.blob(1)))) return;
  }
}

void RecordStore::for_each_with_siblings(const std::function<bool(RecordState)>& visit) {
  auto select = connection_.prepare("SELECT coalesce(shown_head, head), coalesce(shown_body, body) FROM record");
  while (select.step()) {
    auto head = codec::decode_head(select.blob(0));
    if (!head) damaged(head.error());
    if (head->stamps.size() > 1 && !visit(decode(select.blob(0), select.blob(1)))) return;
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
