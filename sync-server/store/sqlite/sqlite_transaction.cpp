#include "store/sqlite/sqlite_transaction.h"

#include <algorithm>
#include <cstring>

namespace fieldsync::server {
namespace {

constexpr std::string_view role_names[] = {"none", "monitor", "coordinator", "case_handler", "board", "administrator"};

template <typename IdType>
IdType id_from(std::string_view bytes) {
  return IdType::from_bytes(bytes).value_or(IdType{});
}

std::string_view view_of(const Sha256& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

Sha256 hash_from(std::string_view bytes) {
  Sha256 hash{};
  std::memcpy(hash.data(), bytes.data(), std::min(bytes.size(), hash.size()));
  return hash;
}

ScopeRow read_scope(const sqlite::Statement& row, int column = 0) {
  return {row.integer(column),
          id_from<core::ScopeId>(row.blob(column + 1)),
          std::string(row.text(column + 2)),
          row.unsigned_integer(column + 3),
          row.unsigned_integer(column + 4),
          row.unsigned_integer(column + 5)};
}

#define SCOPE_COLUMNS "s.key, s.id, s.name, s.head, s.digest, s.epoch"

std::optional<core::Instant> instant_or_none(const sqlite::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return core::Instant{row.integer(column)};
}

DeviceRow read_device(const sqlite::Statement& row) {
  return {row.integer(0),           id_from<core::DeviceId>(row.blob(1)),
          std::string(row.blob(2)), {id_from<core::PersonId>(row.blob(3)), std::string(row.text(4))},
          std::string(row.text(5)), row.unsigned_integer(6),
          hash_from(row.blob(7)),   {row.integer(8)},
          instant_or_none(row, 9),  instant_or_none(row, 10)};
}

#define SELECT_DEVICE                                                                                                 \
  "SELECT d.key, d.id, d.public_key, p.id, p.name, d.name, d.last_counter, d.last_batch_hash, d.enrolled, d.revoked," \
  " d.seen FROM device d JOIN person p ON p.key = d.person"

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

Participation read_participation(const sqlite::Statement& row) {
  return {{id_from<core::PersonId>(row.blob(0)), std::string(row.text(1))},
          row.unsigned_integer(2),
          static_cast<PartTaken>(row.integer(3))};
}

FormRow read_form(const sqlite::Statement& row) {
  return {std::string(row.text(0)), static_cast<std::uint32_t>(row.integer(1)), std::string(row.blob(2)),
          row.integer(3) != 0};
}

std::vector<core::RecordId> read_ids(sqlite::Statement& select) {
  std::vector<core::RecordId> ids;
  while (select.step()) ids.push_back(id_from<core::RecordId>(select.blob(0)));
  return ids;
}
EnrolmentCodeRow read_code(const sqlite::Statement& row) {
  return {std::string(row.text(0)), hash_from(row.blob(1)), id_from<core::PersonId>(row.blob(2)),
          {row.integer(3)},         row.integer(4) != 0,    row.integer(5) != 0};
}

#define SELECT_CODE                                            \
  "SELECT c.id, c.hash, p.id, c.expires, c.used, c.withdrawn " \
  "FROM enrolment_code c JOIN person p ON p.key = c.person"

#define SELECT_RECORD "SELECT id, scope, form, first_seq, last_seq, head, body, hash FROM record"

}  // namespace

std::string_view name_of(Role role) { return role_names[static_cast<std::size_t>(role)]; }

std::optional<Role> role_from_name(std::string_view name) {
  const auto at = std::find(std::begin(role_names) + 1, std::end(role_names), name);
  if (at == std::end(role_names)) return std::nullopt;
  return static_cast<Role>(at - std::begin(role_names));
}

std::uint64_t SqliteTransaction::version(std::string_view name) {
  auto select = connection_.prepare("SELECT value FROM setting WHERE name = ?1");
  select.bind_text(1, name);
  return select.step() ? select.unsigned_integer(0) : 0;
}

std::uint64_t SqliteTransaction::raise_version(std::string_view name) {
  // By up to 2^32, so that two billion changes fit.
  auto update = connection_.prepare(
      "UPDATE setting SET value = value + 1 + (random() & 0xFFFFFFFF) WHERE name = ?1 RETURNING value");
  update.bind_text(1, name);
  update.step();
  const std::uint64_t raised = update.unsigned_integer(0);
  update.run();
  return raised;
}

std::uint64_t SqliteTransaction::forms_version() { return version("forms_version"); }

std::uint64_t SqliteTransaction::directory_version() { return version("directory_version"); }

std::string SqliteTransaction::setting(std::string_view name) {
  auto select = connection_.prepare("SELECT value FROM setting WHERE name = ?1");
  select.bind_text(1, name);
  return select.step() ? std::string(select.blob(0)) : std::string();
}

void SqliteTransaction::put_setting(std::string_view name, std::string_view value) {
  auto upsert = connection_.prepare("INSERT OR REPLACE INTO setting(name, value) VALUES(?1, ?2)");
  upsert.bind_text(1, name).bind_blob(2, value).run();
}

std::vector<FormRow> SqliteTransaction::forms_since(std::uint64_t since) {
  auto select = connection_.prepare(
      "SELECT name, version, bytes, reference_data FROM form WHERE since > ?1 OR NOT EXISTS (SELECT 1 FROM form WHERE "
      "since = ?1) "
      "ORDER BY name");
  select.bind_unsigned(1, since);
  std::vector<FormRow> forms;
  while (select.step()) {
    forms.push_back(read_form(select));
  }
  return forms;
}

std::optional<FormRow> SqliteTransaction::form(std::string_view name) {
  auto select = connection_.prepare("SELECT name, version, bytes, reference_data FROM form WHERE name = ?1");
  select.bind_text(1, name);
  if (!select.step()) return std::nullopt;
  return read_form(select);
}

void SqliteTransaction::put_form(const FormRow& form) {
  const std::uint64_t since = raise_version("forms_version");
  auto upsert = connection_.prepare(
      "INSERT OR REPLACE INTO form(name, version, bytes, since, reference_data) VALUES(?1, ?2, ?3, ?4, ?5)");
  upsert.bind_text(1, form.name).bind(2, form.version).bind_blob(3, form.bytes).bind_unsigned(4, since);
  upsert.bind(5, form.is_reference_data ? 1 : 0).run();
}

void SqliteTransaction::mark_reference_form(std::string_view name) {
  auto update = connection_.prepare("UPDATE form SET reference_data = 1 WHERE name = ?1");
  update.bind_text(1, name).run();
}

std::vector<ScopeRow> SqliteTransaction::scopes() {
  auto select = connection_.prepare("SELECT " SCOPE_COLUMNS " FROM scope s ORDER BY s.name");
  std::vector<ScopeRow> rows;
  while (select.step()) rows.push_back(read_scope(select));
  return rows;
}

std::optional<ScopeRow> SqliteTransaction::scope(const core::ScopeId& id) {
  auto select = connection_.prepare("SELECT " SCOPE_COLUMNS " FROM scope s WHERE s.id = ?1");
  select.bind_blob(1, id.view());
  if (!select.step()) return std::nullopt;
  return read_scope(select);
}

std::optional<ScopeRow> SqliteTransaction::scope_by_key(std::int64_t key) {
  auto select = connection_.prepare("SELECT " SCOPE_COLUMNS " FROM scope s WHERE s.key = ?1");
  select.bind(1, key);
  if (!select.step()) return std::nullopt;
  return read_scope(select);
}

void SqliteTransaction::add_scope(const ScopeRow& scope) {
  auto insert = connection_.prepare("INSERT INTO scope(id, name, head, digest, epoch) VALUES(?1, ?2, 0, 0, ?3)");
  insert.bind_blob(1, scope.id.view()).bind_text(2, scope.name).bind_unsigned(3, scope.epoch).run();
  raise_version("directory_version");
}

void SqliteTransaction::set_epoch(std::int64_t scope, std::uint64_t epoch) {
  auto update = connection_.prepare("UPDATE scope SET epoch = ?2 WHERE key = ?1");
  update.bind(1, scope).bind_unsigned(2, epoch).run();
}

std::vector<PersonRow> SqliteTransaction::people() {
  auto select = connection_.prepare("SELECT id, name FROM person ORDER BY name");
  std::vector<PersonRow> rows;
  while (select.step()) rows.push_back({id_from<core::PersonId>(select.blob(0)), std::string(select.text(1))});
  return rows;
}

std::vector<PersonRow> SqliteTransaction::people_seen_in(const ReadersView& view) {
  auto select = connection_.prepare(
      view.own_of ? "SELECT DISTINCT p.id, p.name FROM person me JOIN participant mine ON mine.person = me.key"
                    " AND mine.scope = ?1 AND mine.part = 0 JOIN participant theirs ON theirs.record = mine.record"
                    " AND theirs.scope = mine.scope JOIN person p ON p.key = theirs.person WHERE me.id = ?2"
                    " UNION SELECT id, name FROM person WHERE id = ?2"
                  : "SELECT p.id, p.name FROM membership m JOIN person p ON p.key = m.person WHERE m.scope = ?1");
  select.bind(1, view.scope);
  if (view.own_of) select.bind_blob(2, view.own_of->view());
  std::vector<PersonRow> rows;
  while (select.step()) rows.push_back({id_from<core::PersonId>(select.blob(0)), std::string(select.text(1))});
  return rows;
}

void SqliteTransaction::add_person(const PersonRow& person) {
  auto insert = connection_.prepare("INSERT INTO person(id, name) VALUES(?1, ?2)");
  insert.bind_blob(1, person.id.view()).bind_text(2, person.name).run();
  raise_version("directory_version");
}

std::vector<MembershipRow> SqliteTransaction::memberships(const core::PersonId& person) {
  auto select =
      connection_.prepare("SELECT " SCOPE_COLUMNS
                          ", m.role, m.mode FROM person p"
                          " JOIN membership m ON m.person = p.key AND m.role <> 0 JOIN scope s ON s.key = m.scope"
                          " WHERE p.id = ?1 ORDER BY s.key");
  select.bind_blob(1, person.view());
  std::vector<MembershipRow> rows;
  while (select.step()) {
    rows.push_back(
        {read_scope(select), static_cast<Role>(select.integer(6)), static_cast<ReadingMode>(select.integer(7))});
  }
  return rows;
}

void SqliteTransaction::put_membership(const core::PersonId& person, std::int64_t scope, Role role, ReadingMode mode) {
  auto upsert = connection_.prepare(
      "INSERT OR REPLACE INTO membership(person, scope, role, mode) SELECT key, ?2, ?3, ?4 FROM person WHERE id = ?1");
  upsert.bind_blob(1, person.view())
      .bind(2, scope)
      .bind(3, static_cast<std::int64_t>(role))
      .bind(4, static_cast<std::int64_t>(mode));
  upsert.run();
  raise_version("directory_version");
}

std::vector<QuarantineRow> SqliteTransaction::quarantined_up_to(std::int64_t device, std::uint64_t last) {
  auto select = connection_.prepare(
      "SELECT counter, code, message FROM quarantine WHERE device = ?1 AND counter <= ?2 ORDER BY counter");
  select.bind(1, device).bind_unsigned(2, last);
  std::vector<QuarantineRow> rows;
  while (select.step()) {
    rows.push_back(
        {device, select.unsigned_integer(0), std::string(select.text(1)), std::string(select.text(2)), {}, {}, {}});
  }
  return rows;
}

void SqliteTransaction::quarantined_between(std::int64_t device, std::uint64_t first, std::uint64_t last,
                                            const std::function<void(const QuarantineRow&)>& take) {
  auto select = connection_.prepare(
      "SELECT counter, code, message, operation, received, clock_offset, refused_for FROM quarantine"
      " WHERE device = ?1 AND counter BETWEEN ?2 AND ?3 ORDER BY counter");
  select.bind(1, device).bind_unsigned(2, first).bind_unsigned(3, last);
  while (select.step()) {
    take({device,
          select.unsigned_integer(0),
          std::string(select.text(1)),
          std::string(select.text(2)),
          select.blob(3),
          {select.integer(4)},
          {select.integer(5)},
          std::string(select.text(6))});
  }
}

void SqliteTransaction::leave_quarantine(std::int64_t device, std::uint64_t counter) {
  auto remove = connection_.prepare("DELETE FROM quarantine WHERE device = ?1 AND counter = ?2");
  remove.bind(1, device).bind_unsigned(2, counter).run();
}

void SqliteTransaction::return_quarantined(std::int64_t device, std::uint64_t counter, std::string_view code,
                                           std::string_view message) {
  auto update = connection_.prepare(
      "UPDATE quarantine SET refused_for = code, code = ?3, message = ?4 WHERE device = ?1 AND counter = ?2");
  update.bind(1, device).bind_unsigned(2, counter).bind_text(3, code).bind_text(4, message).run();
}

void SqliteTransaction::batches_between(std::int64_t device, std::uint64_t first, std::uint64_t last,
                                        const std::function<void(const BatchRow&)>& take) {
  // The batch in which `first` stands may begin before it.
  auto select = connection_.prepare(
      "SELECT first, last, hash, previous, encoding, signature, content, received FROM batch WHERE device = ?1 AND "
      "first <= ?3"
      " AND first >= (SELECT coalesce(max(first), ?2) FROM batch WHERE device = ?1 AND first <= ?2) ORDER BY first");
  select.bind(1, device).bind_unsigned(2, first).bind_unsigned(3, last);
  while (select.step()) {
    take({device,
          select.unsigned_integer(0),
          select.unsigned_integer(1),
          hash_from(select.blob(2)),
          hash_from(select.blob(3)),
          static_cast<std::uint8_t>(select.integer(4)),
          select.blob(5),
          select.blob(6),
          {select.integer(7)}});
  }
}

std::optional<EnrolmentCodeRow> SqliteTransaction::enrolment_code(std::string_view id) {
  auto select = connection_.prepare(SELECT_CODE " WHERE c.id = ?1");
  select.bind_text(1, id);
  if (!select.step()) return std::nullopt;
  return read_code(select);
}

std::vector<EnrolmentCodeRow> SqliteTransaction::enrolment_codes() {
  auto select = connection_.prepare(SELECT_CODE " ORDER BY c.expires DESC, c.id");
  std::vector<EnrolmentCodeRow> rows;
  while (select.step()) rows.push_back(read_code(select));
  return rows;
}

std::uint32_t SqliteTransaction::wrong_tries(std::string_view id) {
  auto select = connection_.prepare("SELECT wrong FROM enrolment_try WHERE id = ?1");
  select.bind_text(1, id);
  return select.step() ? static_cast<std::uint32_t>(select.integer(0)) : 0;
}

void SqliteTransaction::add_enrolment_code(const EnrolmentCodeRow& code) {
  auto insert = connection_.prepare(
      "INSERT INTO enrolment_code(id, hash, person, expires) SELECT ?1, ?2, key, ?4 FROM person WHERE id = ?3");
  insert.bind_text(1, code.id).bind_blob(2, view_of(code.hash)).bind_blob(3, code.person.view());
  insert.bind(4, code.expires.ms).run();
}

void SqliteTransaction::use_enrolment_code(std::string_view id) {
  auto update = connection_.prepare("UPDATE enrolment_code SET used = 1 WHERE id = ?1");
  update.bind_text(1, id).run();
}

void SqliteTransaction::withdraw_enrolment_code(std::string_view id) {
  auto update = connection_.prepare("UPDATE enrolment_code SET withdrawn = 1 WHERE id = ?1");
  update.bind_text(1, id).run();
}

void SqliteTransaction::add_wrong_tries(std::string_view id, std::uint32_t tries) {
  auto upsert = connection_.prepare(
      "INSERT INTO enrolment_try(id, wrong) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET wrong = wrong + ?2");
  upsert.bind_text(1, id).bind(2, tries).run();
}

std::optional<DeviceRow> SqliteTransaction::device_by_id(const core::DeviceId& id) {
  auto select = connection_.prepare(SELECT_DEVICE " WHERE d.id = ?1");
  select.bind_blob(1, id.view());
  if (!select.step()) return std::nullopt;
  return read_device(select);
}

std::vector<DeviceRow> SqliteTransaction::devices() {
  auto select = connection_.prepare(SELECT_DEVICE " ORDER BY p.name, d.name");
  std::vector<DeviceRow> rows;
  while (select.step()) rows.push_back(read_device(select));
  return rows;
}

void SqliteTransaction::add_device(const DeviceRow& device) {
  auto insert = connection_.prepare(
      "INSERT INTO device(id, public_key, person, name, last_batch_hash, enrolled)"
      " SELECT ?1, ?2, key, ?4, ?5, ?6 FROM person WHERE id = ?3");
  insert.bind_blob(1, device.id.view()).bind_blob(2, device.public_key).bind_blob(3, device.person.id.view());
  insert.bind_text(4, device.name).bind_blob(5, view_of(device.last_batch_hash)).bind(6, device.enrolled.ms).run();
}

void SqliteTransaction::revoke_device(std::int64_t device, core::Instant at) {
  auto update = connection_.prepare("UPDATE device SET revoked = ?2 WHERE key = ?1 AND revoked IS NULL");
  update.bind(1, device).bind(2, at.ms).run();
}

void SqliteTransaction::set_device_position(std::int64_t device, std::uint64_t last_counter,
                                            const Sha256& last_batch_hash, core::Instant seen) {
  auto update =
      connection_.prepare("UPDATE device SET last_counter = ?2, last_batch_hash = ?3, seen = ?4 WHERE key = ?1");
  update.bind(1, device).bind_unsigned(2, last_counter).bind_blob(3, view_of(last_batch_hash)).bind(4, seen.ms).run();
}

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

void SqliteTransaction::append_batch(const BatchRow& batch) {
  auto insert = connection_.prepare(
      "INSERT INTO batch(device, first, last, hash, previous, encoding, signature, content, received, entry)"
      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  insert.bind(1, batch.device).bind_unsigned(2, batch.first_counter).bind_unsigned(3, batch.last_counter);
  insert.bind_blob(4, view_of(batch.hash)).bind_blob(5, view_of(batch.previous)).bind(6, batch.encoding);
  insert.bind_blob(7, batch.signature).bind_blob(8, batch.content).bind(9, batch.received.ms);
  insert.bind_unsigned(10, batch.entry).run();
}

void SqliteTransaction::append_operation(const OperationIndexRow& operation) {
  auto insert = connection_.prepare(
      "INSERT INTO operation_index(scope, seq, device, counter, record, effective, received) VALUES(?1, ?2, ?3, ?4, "
      "?5, ?6, ?7)");
  insert.bind(1, operation.scope)
      .bind_unsigned(2, operation.seq)
      .bind(3, operation.device)
      .bind_unsigned(4, operation.counter);
  insert.bind_blob(5, operation.record.view()).bind(6, operation.effective.ms).bind(7, operation.received.ms).run();
}

void SqliteTransaction::quarantine(const QuarantineRow& operation) {
  auto insert = connection_.prepare(
      "INSERT INTO quarantine(device, counter, code, message, operation, received, clock_offset)"
      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  insert.bind(1, operation.device).bind_unsigned(2, operation.counter).bind_text(3, operation.code);
  insert.bind_text(4, operation.message).bind_blob(5, operation.operation).bind(6, operation.received.ms);
  insert.bind(7, operation.clock_offset.count).run();
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

std::vector<NamingRecord> SqliteTransaction::records_naming(const ReadersView& view, const core::AttachmentId& id) {
  auto select = connection_.prepare(
      "SELECT DISTINCT r.id, r.form, r.last_seq FROM attachment_record n JOIN record r ON r.id = n.record"
      " AND r.scope = n.scope WHERE n.scope = ?1 AND n.sha256 = ?2 AND (?3 IS NULL OR EXISTS (SELECT 1 FROM person p"
      " JOIN participant t ON t.person = p.key AND t.scope = n.scope AND t.record = n.record AND t.part = 0"
      " WHERE p.id = ?3))");
  select.bind(1, view.scope).bind_blob(2, id.view());
  if (view.own_of) select.bind_blob(3, view.own_of->view());
  std::vector<NamingRecord> rows;
  while (select.step()) {
    rows.push_back({id_from<core::RecordId>(select.blob(0)), std::string(select.text(1)), select.unsigned_integer(2)});
  }
  return rows;
}

std::vector<NamedAttachment> SqliteTransaction::attachments_named(const DeviceRow& device,
                                                                  const core::AttachmentId& id) {
  auto select = connection_.prepare(
      "SELECT a.scope, m.role, 0, a.size, a.complete, m.mode, EXISTS (SELECT 1 FROM attachment_record n"
      " JOIN record r ON r.id = n.record AND r.scope = n.scope LEFT JOIN form f ON f.name = r.form LEFT JOIN "
      "participant t ON"
      " t.person = p.key AND t.scope = a.scope AND t.record = n.record AND t.part = 0"
      " WHERE n.scope = a.scope AND n.sha256 = a.sha256 AND n.size = a.size AND n.is_proved"
      " AND (t.record IS NOT NULL OR f.reference_data))"
      " FROM person p JOIN membership m ON m.person = p.key AND m.role <> 0"
      " JOIN attachment a ON a.scope = m.scope AND a.sha256 = ?2 WHERE p.id = ?1"
      " UNION ALL SELECT a.scope, 0, 1, a.size, CASE WHEN a.scope < 0 OR EXISTS (SELECT 1 FROM attachment_record n"
      " JOIN device o ON o.key = n.device AND o.person = p.key WHERE n.scope = a.scope AND n.sha256 = a.sha256"
      " AND n.size = a.size AND n.is_proved) THEN a.complete ELSE 0 END, 0, 0"
      " FROM person p JOIN device d ON d.person = p.key"
      " JOIN attachment_author w ON w.device = d.key AND w.sha256 = ?2"
      " JOIN attachment a ON a.scope = w.scope AND a.sha256 = w.sha256 AND a.size = w.size WHERE p.id = ?3"
      " ORDER BY 4, 1");
  const std::string_view member = device.revoked ? std::string_view() : device.person.id.view();
  select.bind_blob(1, member).bind_blob(2, id.view()).bind_blob(3, device.person.id.view());
  std::vector<NamedAttachment> rows;
  while (select.step()) {
    NamedAttachment& row = rows.emplace_back();
    row.scope = select.integer(0);
    row.role = static_cast<Role>(select.integer(1));
    row.is_own = select.integer(2) != 0;
    row.size = static_cast<std::uint32_t>(select.integer(3));
    row.version = select.unsigned_integer(4);
    row.mode = static_cast<ReadingMode>(select.integer(5));
    row.takes_part = select.integer(6) != 0;
  }
  return rows;
}

void SqliteTransaction::complete_attachments(const std::function<void(const core::AttachmentFile&)>& take) {
  auto select =
      connection_.prepare("SELECT DISTINCT sha256, size FROM attachment WHERE complete <> 0 ORDER BY sha256, size");
  while (select.step()) {
    const auto id = core::AttachmentId::from_bytes(select.blob(0));
    take({id.value_or(core::AttachmentId{}), static_cast<std::uint32_t>(select.integer(1))});
  }
}

std::uint32_t SqliteTransaction::upload_bytes(std::int64_t device, const core::AttachmentId& id) {
  auto select = connection_.prepare("SELECT durable FROM attachment_upload WHERE device = ?1 AND sha256 = ?2");
  select.bind(1, device).bind_blob(2, id.view());
  return select.step() ? static_cast<std::uint32_t>(select.integer(0)) : 0;
}

std::vector<core::AttachmentId> SqliteTransaction::uploads_of(std::int64_t device) {
  auto select = connection_.prepare("SELECT sha256 FROM attachment_upload WHERE device = ?1");
  select.bind(1, device);
  std::vector<core::AttachmentId> ids;
  while (select.step()) ids.push_back(core::AttachmentId::from_bytes(select.blob(0)).value_or(core::AttachmentId{}));
  return ids;
}

std::uint64_t SqliteTransaction::bytes_taken(std::int64_t device, std::int64_t day) {
  auto select = connection_.prepare("SELECT bytes FROM attachment_day WHERE device = ?1 AND day = ?2");
  select.bind(1, device).bind(2, day);
  return select.step() ? select.unsigned_integer(0) : 0;
}

void SqliteTransaction::name_attachment(std::int64_t scope, std::int64_t device, const core::RecordId& record,
                                        const core::AttachmentFile& file, bool is_proved) {
  auto insert = connection_.prepare("INSERT OR IGNORE INTO attachment(scope, sha256, size) VALUES(?1, ?2, ?3)");
  insert.bind(1, scope).bind_blob(2, file.id.view()).bind(3, file.size).run();
  auto author = connection_.prepare(
      "INSERT OR IGNORE INTO attachment_author(device, sha256, size, scope) VALUES(?1, ?2, ?3, ?4)");
  author.bind(1, device).bind_blob(2, file.id.view()).bind(3, file.size).bind(4, scope).run();
  auto place = connection_.prepare(
      "INSERT INTO attachment_record(scope, sha256, size, record, device, is_proved) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
      " ON CONFLICT DO UPDATE SET is_proved = max(is_proved, excluded.is_proved)");
  place.bind(1, scope).bind_blob(2, file.id.view()).bind(3, file.size).bind_blob(4, record.view()).bind(5, device);
  place.bind(6, is_proved ? 1 : 0).run();
}

void SqliteTransaction::prove_attachment(const core::PersonId& person, std::int64_t scope,
                                         const core::AttachmentFile& file) {
  auto update = connection_.prepare(
      "UPDATE attachment_record SET is_proved = 1 WHERE scope = ?2 AND sha256 = ?3 AND size = ?4 AND device IN"
      " (SELECT d.key FROM device d JOIN person p ON p.key = d.person WHERE p.id = ?1)");
  update.bind_blob(1, person.view()).bind(2, scope).bind_blob(3, file.id.view()).bind(4, file.size).run();
}

std::uint64_t SqliteTransaction::complete_attachment(std::int64_t scope, const core::AttachmentFile& file) {
  auto select = connection_.prepare("SELECT complete FROM attachment WHERE scope = ?1 AND sha256 = ?2 AND size = ?3");
  select.bind(1, scope).bind_blob(2, file.id.view()).bind(3, file.size);
  const std::uint64_t known = select.step() ? select.unsigned_integer(0) : 0;
  if (known != 0) return known;
  const std::uint64_t version = raise_version("attachments_version");
  auto update =
      connection_.prepare("UPDATE attachment SET complete = ?4 WHERE scope = ?1 AND sha256 = ?2 AND size = ?3");
  update.bind(1, scope).bind_blob(2, file.id.view()).bind(3, file.size).bind_unsigned(4, version).run();
  return version;
}

bool SqliteTransaction::knows_attachments_version(std::uint64_t version) {
  // From before there were versions: every copy has it.
  if (version <= 1) return true;
  auto select = connection_.prepare("SELECT 1 FROM attachment WHERE complete = ?1 AND complete > 1");
  select.bind_unsigned(1, version);
  return select.step();
}

void SqliteTransaction::set_upload_bytes(std::int64_t device, const core::AttachmentId& id, std::uint32_t durable) {
  if (durable == 0) {
    auto remove = connection_.prepare("DELETE FROM attachment_upload WHERE device = ?1 AND sha256 = ?2");
    remove.bind(1, device).bind_blob(2, id.view()).run();
    return;
  }
  auto upsert =
      connection_.prepare("INSERT OR REPLACE INTO attachment_upload(device, sha256, durable) VALUES(?1, ?2, ?3)");
  upsert.bind(1, device).bind_blob(2, id.view()).bind(3, durable).run();
}

void SqliteTransaction::add_bytes_taken(std::int64_t device, std::int64_t day, std::uint64_t bytes) {
  auto upsert = connection_.prepare(
      "INSERT INTO attachment_day(device, day, bytes) VALUES(?1, ?2, ?3) ON CONFLICT(device) DO UPDATE SET"
      " bytes = CASE day WHEN excluded.day THEN bytes ELSE 0 END + excluded.bytes, day = excluded.day");
  upsert.bind(1, device).bind(2, day).bind_unsigned(3, bytes).run();
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

std::uint64_t SqliteTransaction::count(const char* sql) {
  auto select = connection_.prepare(sql);
  return select.step() ? select.unsigned_integer(0) : 0;
}

Counts SqliteTransaction::counts() {
  return {count("SELECT count(*) FROM record"),
          count("SELECT count(*) FROM operation_index"),
          count("SELECT count(*) FROM open_conflict"),
          count("SELECT count(*) FROM quarantine"),
          count("SELECT count(*) FROM (SELECT DISTINCT sha256, size FROM attachment WHERE complete <> 0)"),
          count("SELECT count(*) FROM (SELECT DISTINCT sha256, size FROM attachment WHERE complete = 0)")};
}

std::string SqliteTransaction::integrity_problem() { return connection_.integrity_problem(); }

}  // namespace fieldsync::server
