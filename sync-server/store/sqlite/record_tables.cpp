// The tables of records and of who takes part in them: what of SqliteTransaction concerns them.
#include "store/sqlite/columns.h"
#include "store/sqlite/sqlite_transaction.h"

namespace fieldsync::server {
namespace {

RecordRow read_record(const sqlite::Statement& row) {
  return {id_from<core::RecordId>(row.blob(0)),
          row.integer(1),
          std::string(row.text(2)),
          row.unsigned_integer(3),
          row.unsigned_integer(4),
          std::string(row.blob(5)),
          std::string(row.blob(6)),
          row.unsigned_integer(7)};
}

#define SELECT_RECORD "SELECT id, scope, form, first_seq, last_seq, head, body, hash FROM record"

std::vector<core::RecordId> read_ids(sqlite::Statement& select) {
  std::vector<core::RecordId> ids;
  while (select.step()) ids.push_back(id_from<core::RecordId>(select.blob(0)));
  return ids;
}

Participation read_participation(const sqlite::Statement& row) {
  return {{id_from<core::PersonId>(row.blob(0)), std::string(row.text(1))},
          row.unsigned_integer(2),
          static_cast<PartTaken>(row.integer(3))};
}

}  // namespace

std::optional<RecordRow> SqliteTransaction::record(const core::RecordId& id) {
  auto select = connection_.prepare(SELECT_RECORD " WHERE id = ?1");
  select.bind_blob(1, id.view());
  if (!select.step()) return std::nullopt;
  return read_record(select);
}

std::vector<core::RecordId> SqliteTransaction::records_in_conflict(std::string_view form) {
  auto select = connection_.prepare(
      "SELECT DISTINCT c.record FROM open_conflict c JOIN record r ON r.id = c.record WHERE r.form = ?1");
  select.bind_text(1, form);
  return read_ids(select);
}

std::vector<core::RecordId> SqliteTransaction::records_of(std::string_view form) {
  auto select = connection_.prepare("SELECT id FROM record WHERE form = ?1");
  select.bind_text(1, form);
  return read_ids(select);
}

void SqliteTransaction::put_record(const RecordRow& record, bool is_new) {
  auto put =
      is_new ? connection_.prepare(
                   "INSERT INTO record(id, last_seq, hash, head, body, first_seq, scope, form)"
                   " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
             : connection_.prepare(
                   "UPDATE record SET last_seq = ?2, hash = ?3, head = ?4, body = ?5, first_seq = ?6 WHERE id = ?1");
  put.bind_blob(1, record.id.view()).bind_unsigned(2, record.last_seq).bind_unsigned(3, record.hash);
  put.bind_blob(4, record.head).bind_blob(5, record.body_frame).bind_unsigned(6, record.first_seq);
  if (is_new) put.bind(7, record.scope).bind_text(8, record.form);
  put.run();
}

void SqliteTransaction::put_conflicts(const core::RecordId& record, const std::vector<core::FieldKey>& open) {
  auto remove = connection_.prepare("DELETE FROM open_conflict WHERE record = ?1");
  remove.bind_blob(1, record.view()).run();
  for (const core::FieldKey& key : open) {
    auto insert = connection_.prepare("INSERT INTO open_conflict(record, item, field) VALUES(?1, ?2, ?3)");
    insert.bind_blob(1, record.view()).bind_blob(2, key.item.view()).bind(3, key.field).run();
  }
}

std::uint64_t SqliteTransaction::advance_scope(std::int64_t scope, std::uint64_t operations,
                                               std::uint64_t digest_growth) {
  std::uint64_t digest = 0;
  {
    auto select = connection_.prepare("SELECT digest FROM scope WHERE key = ?1");
    select.bind(1, scope);
    if (select.step()) digest = select.unsigned_integer(0);
  }
  // The sum is taken here: SQLite's own addition would turn to floating point on overflow.
  auto update = connection_.prepare("UPDATE scope SET head = head + ?2, digest = ?3 WHERE key = ?1 RETURNING head");
  update.bind(1, scope).bind_unsigned(2, operations).bind_unsigned(3, digest + digest_growth);
  update.step();
  const std::uint64_t head = update.unsigned_integer(0);
  update.run();
  return head;
}

void SqliteTransaction::changes_after(const ReadersView& view, std::uint64_t cursor,
                                      const std::function<bool(const VisibleRecord&)>& take) {
  if (view.own_of) {
    for (const OwnRecord& own : own_records(view, cursor)) {
      auto select = connection_.prepare(SELECT_RECORD " WHERE key = ?1");
      select.bind(1, own.key);
      if (select.step() && !take({read_record(select), own.since})) return;
    }
    return;
  }
  auto select = connection_.prepare(SELECT_RECORD " WHERE scope = ?1 AND last_seq > ?2 ORDER BY last_seq");
  select.bind(1, view.scope).bind_unsigned(2, cursor);
  while (select.step() && take({read_record(select), 0})) {
  }
}

std::vector<SqliteTransaction::OwnRecord> SqliteTransaction::own_records(const ReadersView& view,
                                                                         std::uint64_t cursor) {
  auto select = connection_.prepare(
      "SELECT max(r.last_seq, t.since), t.since, r.key, r.hash FROM person p"
      " JOIN participant t ON t.person = p.key AND t.scope = ?2 AND t.part = 0"
      " JOIN record r ON r.id = t.record AND r.scope = t.scope AND max(r.last_seq, t.since) > ?3 WHERE p.id = ?1"
      " UNION ALL SELECT r.last_seq, 0, r.key, r.hash FROM form f CROSS JOIN record r ON r.form = f.name"
      " AND r.scope = ?2 AND r.last_seq > ?3 WHERE f.reference_data AND NOT EXISTS (SELECT 1 FROM participant t JOIN "
      "person p ON"
      " p.key = t.person WHERE p.id = ?1 AND t.scope = ?2 AND t.record = r.id AND t.part = 0) ORDER BY 1");
  select.bind_blob(1, view.own_of->view()).bind(2, view.scope).bind_unsigned(3, cursor);
  std::vector<OwnRecord> records;
  while (select.step()) {
    records.push_back(
        {select.unsigned_integer(0), select.unsigned_integer(1), select.integer(2), select.unsigned_integer(3)});
  }
  return records;
}

std::uint64_t SqliteTransaction::digest_of(const ReadersView& view) {
  std::uint64_t digest = 0;
  for (const OwnRecord& own : own_records(view, 0)) digest += own.hash;
  return digest;
}

std::vector<core::RecordId> SqliteTransaction::left_after(const ReadersView& view, std::uint64_t cursor) {
  auto select = connection_.prepare(
      "SELECT t.record FROM person p JOIN participant t ON t.person = p.key AND t.scope = ?2 AND t.part <> 0"
      " JOIN record r ON r.id = t.record AND r.scope = t.scope JOIN form f ON f.name = r.form AND NOT f.reference_data"
      " WHERE p.id = ?1 AND t.since > ?3");
  select.bind_blob(1, view.own_of->view()).bind(2, view.scope).bind_unsigned(3, cursor);
  return read_ids(select);
}

std::vector<Participation> SqliteTransaction::participants(std::int64_t scope, const core::RecordId& record) {
  auto select = connection_.prepare(
      "SELECT p.id, p.name, t.since, t.part FROM participant t JOIN person p ON p.key = t.person"
      " WHERE t.record = ?1 AND t.scope = ?2 ORDER BY p.name");
  select.bind_blob(1, record.view()).bind(2, scope);
  std::vector<Participation> rows;
  while (select.step()) rows.push_back(read_participation(select));
  return rows;
}

std::optional<Participation> SqliteTransaction::participation(std::int64_t scope, const core::PersonId& person,
                                                              const core::RecordId& record) {
  auto select = connection_.prepare(
      "SELECT p.id, p.name, t.since, t.part FROM person p JOIN participant t ON t.person = p.key AND t.scope = ?2"
      " AND t.record = ?3 WHERE p.id = ?1");
  select.bind_blob(1, person.view()).bind(2, scope).bind_blob(3, record.view());
  if (!select.step()) return std::nullopt;
  return read_participation(select);
}

std::vector<core::RecordId> SqliteTransaction::parts_of(std::int64_t scope, const core::RecordId& record) {
  auto select = connection_.prepare("SELECT part FROM part_of WHERE scope = ?1 AND whole = ?2");
  select.bind(1, scope).bind_blob(2, record.view());
  return read_ids(select);
}

bool SqliteTransaction::add_participant(std::int64_t scope, const core::PersonId& person, const core::RecordId& record,
                                        std::uint64_t since) {
  auto insert = connection_.prepare(
      "INSERT OR IGNORE INTO participant(person, scope, record, since) SELECT key, ?2, ?3, ?4 FROM person WHERE id = "
      "?1");
  insert.bind_blob(1, person.view()).bind(2, scope).bind_blob(3, record.view()).bind_unsigned(4, since).run();
  return connection_.changes() > 0;
}

void SqliteTransaction::put_participation(std::int64_t scope, const core::PersonId& person,
                                          const core::RecordId& record, std::uint64_t since, PartTaken part) {
  auto upsert = connection_.prepare(
      "INSERT OR REPLACE INTO participant(person, scope, record, since, part) SELECT key, ?2, ?3, ?4, ?5 FROM "
      "person "
      "WHERE id = ?1");
  upsert.bind_blob(1, person.view()).bind(2, scope).bind_blob(3, record.view()).bind_unsigned(4, since);
  upsert.bind(5, static_cast<std::int64_t>(part)).run();
}

void SqliteTransaction::put_wholes(std::int64_t scope, const core::RecordId& part,
                                   const std::vector<core::RecordId>& of) {
  auto remove = connection_.prepare("DELETE FROM part_of WHERE scope = ?1 AND part = ?2");
  remove.bind(1, scope).bind_blob(2, part.view()).run();
  for (const core::RecordId& whole : of) {
    auto insert = connection_.prepare("INSERT OR IGNORE INTO part_of(scope, whole, part) VALUES(?1, ?2, ?3)");
    insert.bind(1, scope).bind_blob(2, whole.view()).bind_blob(3, part.view()).run();
  }
}

}  // namespace fieldsync::server
