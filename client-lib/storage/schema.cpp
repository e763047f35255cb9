#include "storage/schema.h"

#include <sodium.h>

#include <array>

#include "core/id.h"

#include "sqlite/migrations.h"

namespace fieldsync::storage {
namespace {

constexpr int application_id = 0x46534456;  // "FSDV"

constexpr auto migrations = std::to_array<sqlite::Migration>({
    {1, R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE scope(id BLOB PRIMARY KEY, name TEXT NOT NULL, role INTEGER NOT NULL, reading_mode INTEGER NOT NULL,
                   cursor BLOB, digest INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE person(id BLOB PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE form(name TEXT PRIMARY KEY, version INTEGER NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID;

-- head, body: as the server last told (body is a zstd frame); NULL before it did.
-- shown_*: with this device's unacknowledged operations on top; NULL where there are none.
CREATE TABLE record(row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, scope BLOB NOT NULL, form TEXT NOT NULL,
                    head BLOB, body BLOB, body_hash INTEGER, hash INTEGER NOT NULL DEFAULT 0,
                    shown_head BLOB, shown_body BLOB, shown_body_hash INTEGER);
CREATE INDEX record_by_form ON record(form);

-- Operations that the replica does not hold yet, exactly as they are sent.
CREATE TABLE operation(counter INTEGER PRIMARY KEY, record BLOB NOT NULL, bytes BLOB NOT NULL, elements INTEGER NOT NULL);
CREATE INDEX operation_by_record ON operation(record);
-- Operations that the office keeps in quarantine.
CREATE TABLE refused(counter INTEGER PRIMARY KEY, record BLOB NOT NULL, bytes BLOB NOT NULL,
                     code TEXT NOT NULL, message TEXT NOT NULL);

-- Signed batches, kept so that a server that was restored from an old copy can be
-- refilled. The same operations may stand in several that were cut differently:
-- only one of them was or will be applied.
CREATE TABLE batch(first INTEGER NOT NULL, last INTEGER NOT NULL, hash BLOB NOT NULL, previous BLOB NOT NULL,
                   encoding INTEGER NOT NULL, signature BLOB NOT NULL, content BLOB NOT NULL,
                   PRIMARY KEY(first, last));
)"},
    {2, R"(
-- 1: the scope is being read anew and this replica has not been told again. It is
-- shown until the reading has come to its end, and dropped then.
ALTER TABLE record ADD COLUMN stale INTEGER NOT NULL DEFAULT 0;
-- Empty but for such times: every reply asks for it.
CREATE INDEX record_stale ON record(stale) WHERE stale = 1;
-- How the office stamped each batch (BatchStamps): a restored office that gets its
-- operations again is told their effective times, and they keep them.
CREATE TABLE batch_stamps(first INTEGER NOT NULL, last INTEGER NOT NULL, stamps BLOB NOT NULL,
                          PRIMARY KEY(first, last)) WITHOUT ROWID;
)"},
    {3, R"(
-- What this store signed, and what the office refused, under a device's id that it
-- has given up because another copy of the store used it too (storage/fork.h).
CREATE TABLE former_batch(device BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, hash BLOB NOT NULL,
                          previous BLOB NOT NULL, encoding INTEGER NOT NULL, signature BLOB NOT NULL, content BLOB NOT NULL,
                          PRIMARY KEY(device, first, last));
CREATE TABLE former_refused(device BLOB NOT NULL, counter INTEGER NOT NULL, record BLOB NOT NULL, bytes BLOB NOT NULL,
                            code TEXT NOT NULL, message TEXT NOT NULL, PRIMARY KEY(device, counter));
)"},
    {4, R"(
-- An operation names its record's row: the index then grows and shrinks at one end
-- instead of everywhere, and a device that sends writes a tenth fewer pages.
CREATE TABLE waiting(counter INTEGER PRIMARY KEY, record INTEGER NOT NULL REFERENCES record, bytes BLOB NOT NULL, elements INTEGER NOT NULL);
INSERT INTO waiting SELECT counter, (SELECT r.row FROM record r WHERE r.id = operation.record), bytes, elements FROM operation;
DROP TABLE operation;
ALTER TABLE waiting RENAME TO operation;
CREATE INDEX operation_by_record ON operation(record);
)"},
    {5, R"(
-- A batch's hash names it: the same operations may be cut in several ways, after several
-- predecessors, and each batch may have been sent.
CREATE TABLE named_batch(first INTEGER NOT NULL, last INTEGER NOT NULL, hash BLOB NOT NULL, previous BLOB NOT NULL,
                         encoding INTEGER NOT NULL, signature BLOB NOT NULL, content BLOB NOT NULL, PRIMARY KEY(first, hash));
INSERT INTO named_batch SELECT first, last, hash, previous, encoding, signature, content FROM batch;
DROP TABLE batch;
ALTER TABLE named_batch RENAME TO batch;
CREATE INDEX batch_by_last ON batch(last);
CREATE TABLE named_former(device BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, hash BLOB NOT NULL,
                          previous BLOB NOT NULL, encoding INTEGER NOT NULL, signature BLOB NOT NULL, content BLOB NOT NULL,
                          PRIMARY KEY(device, first, hash));
INSERT INTO named_former SELECT device, first, last, hash, previous, encoding, signature, content FROM former_batch;
DROP TABLE former_batch;
ALTER TABLE named_former RENAME TO former_batch;
INSERT INTO meta SELECT 'acknowledged_hash', hash FROM batch
  WHERE last = (SELECT value FROM meta WHERE key = 'acknowledged_counter') LIMIT 1;
)"},
    {6, R"(
-- What stands open until the store gets its key (storage/sealing.h).
DROP INDEX record_by_form; DROP INDEX record_stale; DROP INDEX operation_by_record; DROP INDEX batch_by_last;
ALTER TABLE meta RENAME TO open_meta;
ALTER TABLE scope RENAME TO open_scope;
ALTER TABLE person RENAME TO open_person;
ALTER TABLE form RENAME TO open_form;
ALTER TABLE record RENAME TO open_record;
ALTER TABLE operation RENAME TO open_operation;
ALTER TABLE refused RENAME TO open_refused;
ALTER TABLE batch RENAME TO open_batch;
ALTER TABLE batch_stamps RENAME TO open_batch_stamps;
ALTER TABLE former_batch RENAME TO open_former_batch;
ALTER TABLE former_refused RENAME TO open_former_refused;

-- Everything with content is a sealed cell (seal/sealer.h): what can be seen without the
-- key are random ids, this device's counters, and padded sizes.

-- One row, from the first key on. manifest: a cell with the number of the last commit and
-- a sum over all rows of the other tables (storage/vault.h).
CREATE TABLE store(id BLOB NOT NULL, manifest BLOB NOT NULL);
-- The ways to open the store (seal/key_slots.h).
CREATE TABLE key_slot(number INTEGER PRIMARY KEY, bytes BLOB NOT NULL);

CREATE TABLE setting(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
-- about: role, reading mode, name. position: digest, cursor; NULL before anything was read.
CREATE TABLE scope(id BLOB PRIMARY KEY, about BLOB NOT NULL, position BLOB) WITHOUT ROWID;
CREATE TABLE person(id BLOB PRIMARY KEY, name BLOB NOT NULL) WITHOUT ROWID;
-- tag: a keyed hash of the form's name.
CREATE TABLE form(tag BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;

-- head, body: as the server last told (head with the hashes, body a zstd frame); NULL before it did.
-- shown_*: with this device's unacknowledged operations on top; NULL where there are none.
-- stale: the scope is being read anew and this replica has not been told again. It is
-- shown until the reading has come to its end, and dropped then.
CREATE TABLE record(row INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, scope BLOB NOT NULL, head BLOB, body BLOB,
                    shown_head BLOB, shown_body BLOB, stale INTEGER NOT NULL DEFAULT 0);
-- Empty but for such times: every reply asks for it.
CREATE INDEX record_stale ON record(stale) WHERE stale = 1;

-- Operations that the replica does not hold yet: how many elements the server will count,
-- and the bytes exactly as they are sent. They name their record's row: the index then grows
-- and shrinks at one end instead of everywhere.
CREATE TABLE operation(counter INTEGER PRIMARY KEY, record INTEGER NOT NULL REFERENCES record, content BLOB NOT NULL);
CREATE INDEX operation_by_record ON operation(record);
-- Operations that the office keeps in quarantine, with its reason.
CREATE TABLE refused(counter INTEGER PRIMARY KEY, record BLOB NOT NULL, content BLOB NOT NULL);

-- Signed batches, kept so that a server that was restored from an old copy can be
-- refilled. The same operations may stand in several that were cut differently, after
-- several predecessors: each may have been sent, one of them was or will be applied.
CREATE TABLE batch(row INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, head BLOB NOT NULL,
                   content BLOB NOT NULL);
CREATE INDEX batch_by_first ON batch(first);
CREATE INDEX batch_by_last ON batch(last);
-- How the office stamped each batch (BatchStamps): a restored office that gets its
-- operations again is told their effective times, and they keep them.
CREATE TABLE batch_stamps(first INTEGER NOT NULL, last INTEGER NOT NULL, stamps BLOB NOT NULL,
                          PRIMARY KEY(first, last)) WITHOUT ROWID;

-- What this store signed, and what the office refused, under a device's id that it
-- has given up because another copy of the store used it too (storage/fork.h).
CREATE TABLE former_batch(row INTEGER PRIMARY KEY, device BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
                          head BLOB NOT NULL, content BLOB NOT NULL);
CREATE TABLE former_refused(device BLOB NOT NULL, counter INTEGER NOT NULL, record BLOB NOT NULL, content BLOB NOT NULL,
                            PRIMARY KEY(device, counter)) WITHOUT ROWID;
)"},
    {7, R"(
-- A photo, recording, document or preview whose bytes are here, or are wanted (storage/attachments.h).
-- tag: a keyed hash of its SHA-256; random before that is known.
CREATE TABLE attachment(row INTEGER PRIMARY KEY, tag BLOB NOT NULL UNIQUE, state INTEGER NOT NULL, about BLOB NOT NULL);
CREATE INDEX attachment_by_state ON attachment(state);
-- Its bytes, in pieces as they came. place: the attachment's row * 2^27 + the first byte's offset.
-- Each is sealed with that, and with the attachment's own random name: they are not in the manifest's sum.
CREATE TABLE attachment_piece(place INTEGER PRIMARY KEY, content BLOB NOT NULL);
-- Refusals that their author amended, or let be. device: x'' for this store's own.
CREATE TABLE settled_refusal(device BLOB NOT NULL, counter INTEGER NOT NULL, PRIMARY KEY(device, counter)) WITHOUT ROWID;
)"},
});

// Of the newest migration's tables: tests/unit/storage/store_file_test.cpp says what it is after a change.
constexpr std::string_view expected_schema = "e91d5b399e464fa23b458d96ba73636a3b993dcf81b57b6b99a351dfc04d3e85";

// All but what waits to be sealed.
std::string text_of_schema(sqlite::Connection& connection) {
  auto select = connection.prepare(
      "SELECT type, name, sql FROM sqlite_schema WHERE type NOT IN ('table', 'index') OR"
      " (name NOT LIKE 'open\\_%' ESCAPE '\\' AND tbl_name NOT LIKE 'open\\_%' ESCAPE '\\') ORDER BY type, name");
  std::string text;
  while (select.step()) {
    for (int column = 0; column < 3; ++column) text.append(select.text(column)) += '\n';
  }
  return text;
}

bool is_empty(sqlite::Connection& connection) {
  auto version = connection.prepare("PRAGMA schema_version");
  return version.step() && version.integer(0) == 0;
}

}  // namespace

std::string schema_hash(sqlite::Connection& connection) {
  const std::string text = text_of_schema(connection);
  std::string hash(32, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(),
                     reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
  return core::to_hex(hash);
}

Result<std::unique_ptr<sqlite::Connection>> open_store(const std::string& path, bool create) {
  return sqlite::guard([&]() -> Result<std::unique_ptr<sqlite::Connection>> {
    if (!create && !sqlite::database_exists(path)) return Error{Errc::not_found, "There is no store at " + path + "."};
    auto connection = std::make_unique<sqlite::Connection>(path, sqlite::OpenMode::read_write);
    // Until the vault is open nobody knows whether the log is needed.
    connection->keep_log_at_close(true);
    connection->lock_exclusively();
    if (is_empty(*connection)) {
      // Room that attachments took can be given back. A file in which something stands keeps its kind.
      connection->execute("PRAGMA auto_vacuum=INCREMENTAL; VACUUM;");
    }
    // EXTRA, not FULL: the change to WAL ends with the removal of a journal, which FULL does not sync.
    connection->execute(
        "PRAGMA synchronous=EXTRA; PRAGMA journal_mode=WAL; PRAGMA fullfsync=ON;"
        "PRAGMA secure_delete=ON; PRAGMA foreign_keys=ON; PRAGMA cache_size=-16384;"
        "PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=16777216;");
    connection->rewrite_log();
    sqlite::migrate(*connection, application_id, migrations);
    // The file may have been in other hands: no table, index or trigger but ours.
    if (schema_hash(*connection) != expected_schema)
      throw sqlite::SqliteError(Errc::storage_corrupt, "its tables are not those that this app makes");
    return connection;
  });
}

}  // namespace fieldsync::storage
