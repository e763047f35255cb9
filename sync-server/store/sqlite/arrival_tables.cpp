// The tables of what arrived, as it arrived: batches, their operations, and those in quarantine: what of
// SqliteTransaction concerns them.
#include "store/sqlite/columns.h"
#include "store/sqlite/sqlite_transaction.h"

namespace fieldsync::server {

void SqliteTransaction::append_batch(const BatchRow& batch) {
  auto insert = connection_.prepare(
      "INSERT INTO batch(device, first, last, hash, previous, encoding, signature, content, received, entry)"
      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  insert.bind(1, batch.device).bind_unsigned(2, batch.first_counter).bind_unsigned(3, batch.last_counter);
  insert.bind_blob(4, view_of(batch.hash)).bind_blob(5, view_of(batch.previous)).bind(6, batch.encoding);
  insert.bind_blob(7, batch.signature).bind_blob(8, batch.content).bind(9, batch.received.ms);
  insert.bind_unsigned(10, batch.entry).run();
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

}  // namespace fieldsync::server
