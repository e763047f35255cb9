// The tables of attachments: what of SqliteTransaction concerns them.
#include "store/sqlite/columns.h"
#include "store/sqlite/sqlite_transaction.h"

namespace fieldsync::server {

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
    take({id_from<core::AttachmentId>(select.blob(0)), static_cast<std::uint32_t>(select.integer(1))});
  }
}

bool SqliteTransaction::knows_attachments_version(std::uint64_t version) {
  // From before there were versions: every copy has it.
  if (version <= 1) return true;
  auto select = connection_.prepare("SELECT 1 FROM attachment WHERE complete = ?1 AND complete > 1");
  select.bind_unsigned(1, version);
  return select.step();
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
  while (select.step()) ids.push_back(id_from<core::AttachmentId>(select.blob(0)));
  return ids;
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

std::uint64_t SqliteTransaction::bytes_taken(std::int64_t device, std::int64_t day) {
  auto select = connection_.prepare("SELECT bytes FROM attachment_day WHERE device = ?1 AND day = ?2");
  select.bind(1, device).bind(2, day);
  return select.step() ? select.unsigned_integer(0) : 0;
}

void SqliteTransaction::add_bytes_taken(std::int64_t device, std::int64_t day, std::uint64_t bytes) {
  auto upsert = connection_.prepare(
      "INSERT INTO attachment_day(device, day, bytes) VALUES(?1, ?2, ?3) ON CONFLICT(device) DO UPDATE SET"
      " bytes = CASE day WHEN excluded.day THEN bytes ELSE 0 END + excluded.bytes, day = excluded.day");
  upsert.bind(1, device).bind(2, day).bind_unsigned(3, bytes).run();
}

}  // namespace fieldsync::server
