// The audit log's tables: what of SqliteTransaction concerns them.
#include "store/sqlite/columns.h"
#include "store/sqlite/sqlite_transaction.h"

namespace fieldsync::server {
namespace {

std::optional<AuditRow> read_row(sqlite::Statement& select) {
  if (!select.step()) return std::nullopt;
  return AuditRow{select.unsigned_integer(0),
                  {select.integer(1)},
                  std::string(select.blob(2)),
                  hash_from(select.blob(3)),
                  std::string(select.blob(4))};
}

}  // namespace

std::optional<AuditRow> SqliteTransaction::last_audit_entry() {
  auto select =
      connection_.prepare("SELECT number, time, entry, root, signature FROM audit_entry ORDER BY number DESC LIMIT 1");
  return read_row(select);
}

std::optional<AuditRow> SqliteTransaction::audit_entry(std::uint64_t number) {
  auto select = connection_.prepare("SELECT number, time, entry, root, signature FROM audit_entry WHERE number = ?1");
  select.bind_unsigned(1, number);
  return read_row(select);
}

Sha256 SqliteTransaction::audit_node(unsigned level, std::uint64_t place) {
  auto select = connection_.prepare("SELECT hash FROM audit_node WHERE level = ?1 AND place = ?2");
  select.bind(1, static_cast<std::int64_t>(level)).bind_unsigned(2, place);
  return select.step() ? hash_from(select.blob(0)) : Sha256{};
}

std::uint64_t SqliteTransaction::audit_entry_of_batch(std::int64_t device, std::uint64_t last_counter) {
  auto select = connection_.prepare(
      "SELECT last, entry FROM batch WHERE device = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1");
  select.bind(1, device).bind_unsigned(2, last_counter);
  const bool ends_there = select.step() && select.unsigned_integer(0) == last_counter;
  return ends_there ? select.unsigned_integer(1) : 0;
}

std::uint64_t SqliteTransaction::audit_entry_of_loss(std::uint64_t size, const Sha256& root) {
  auto select = connection_.prepare("SELECT entry FROM audit_loss WHERE size = ?1 AND root = ?2");
  select.bind_unsigned(1, size).bind_blob(2, view_of(root));
  return select.step() ? select.unsigned_integer(0) : 0;
}

std::vector<BatchRow> SqliteTransaction::batches_without_entry() {
  auto select =
      connection_.prepare("SELECT device, first, last, hash, previous FROM batch WHERE entry = 0 ORDER BY key");
  std::vector<BatchRow> rows;
  while (select.step()) {
    BatchRow row;
    row.device = select.integer(0);
    row.first_counter = select.unsigned_integer(1);
    row.last_counter = select.unsigned_integer(2);
    row.hash = hash_from(select.blob(3));
    row.previous = hash_from(select.blob(4));
    rows.push_back(row);
  }
  return rows;
}

void SqliteTransaction::set_entry_of_batch(const BatchRow& batch, std::uint64_t entry) {
  auto update = connection_.prepare("UPDATE batch SET entry = ?3 WHERE device = ?1 AND first = ?2");
  update.bind(1, batch.device).bind_unsigned(2, batch.first_counter).bind_unsigned(3, entry).run();
}

void SqliteTransaction::append_audit_entry(const AuditRow& row) {
  auto insert =
      connection_.prepare("INSERT INTO audit_entry(number, time, entry, root, signature) VALUES(?1, ?2, ?3, ?4, ?5)");
  insert.bind_unsigned(1, row.number).bind(2, row.time.ms).bind_blob(3, row.entry);
  insert.bind_blob(4, view_of(row.root)).bind_blob(5, row.signature).run();
}

void SqliteTransaction::put_audit_node(unsigned level, std::uint64_t place, const Sha256& hash) {
  auto insert = connection_.prepare("INSERT INTO audit_node(level, place, hash) VALUES(?1, ?2, ?3)");
  insert.bind(1, static_cast<std::int64_t>(level)).bind_unsigned(2, place).bind_blob(3, view_of(hash)).run();
}

void SqliteTransaction::note_audit_loss(std::uint64_t size, const Sha256& root, std::uint64_t entry) {
  auto insert = connection_.prepare("INSERT INTO audit_loss(size, root, entry) VALUES(?1, ?2, ?3)");
  insert.bind_unsigned(1, size).bind_blob(2, view_of(root)).bind_unsigned(3, entry).run();
}

}  // namespace fieldsync::server
