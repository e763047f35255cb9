// The tables of forms, scopes, people, their memberships, codes and devices: what of SqliteTransaction concerns them.
#include <algorithm>

#include "store/sqlite/columns.h"
#include "store/sqlite/sqlite_transaction.h"

namespace fieldsync::server {
namespace {

constexpr std::string_view role_names[] = {"none", "monitor", "coordinator", "case_handler", "board", "administrator"};

ScopeRow read_scope(const sqlite::Statement& row, int column = 0) {
  return {row.integer(column),
          id_from<core::ScopeId>(row.blob(column + 1)),
          std::string(row.text(column + 2)),
          row.unsigned_integer(column + 3),
          row.unsigned_integer(column + 4),
          row.unsigned_integer(column + 5)};
}

#define SCOPE_COLUMNS "s.key, s.id, s.name, s.head, s.digest, s.epoch"

FormRow read_form(const sqlite::Statement& row) {
  return {std::string(row.text(0)), static_cast<std::uint32_t>(row.integer(1)), std::string(row.blob(2)),
          row.integer(3) != 0};
}

EnrolmentCodeRow read_code(const sqlite::Statement& row) {
  return {std::string(row.text(0)), hash_from(row.blob(1)), id_from<core::PersonId>(row.blob(2)),
          {row.integer(3)},         row.integer(4) != 0,    row.integer(5) != 0};
}

#define SELECT_CODE                                            \
  "SELECT c.id, c.hash, p.id, c.expires, c.used, c.withdrawn " \
  "FROM enrolment_code c JOIN person p ON p.key = c.person"

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

}  // namespace

std::string_view name_of(Role role) { return role_names[static_cast<std::size_t>(role)]; }

std::optional<Role> role_from_name(std::string_view name) {
  const auto at = std::find(std::begin(role_names) + 1, std::end(role_names), name);
  if (at == std::end(role_names)) return std::nullopt;
  return static_cast<Role>(at - std::begin(role_names));
}

std::uint64_t SqliteTransaction::forms_version() { return version("forms_version"); }

std::uint64_t SqliteTransaction::directory_version() { return version("directory_version"); }

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
  auto forget = connection_.prepare("DELETE FROM enrolment_try WHERE id = ?1");
  forget.bind_text(1, code.id).run();
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

}  // namespace fieldsync::server
