#include "store/sqlite/schema.h"

#include <array>

namespace fieldsync::server {

std::span<const sqlite::Migration> server_migrations() {
  static constexpr auto migrations = std::to_array<sqlite::Migration>({
      {1, R"(
CREATE TABLE setting(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO setting VALUES('forms_version', 0), ('directory_version', 0);
CREATE TABLE form(name TEXT PRIMARY KEY, version INTEGER NOT NULL, bytes BLOB NOT NULL, since INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE scope(key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
                   head INTEGER NOT NULL, digest INTEGER NOT NULL, epoch INTEGER NOT NULL);
CREATE TABLE person(key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, name TEXT NOT NULL);
CREATE TABLE membership(person INTEGER NOT NULL REFERENCES person, scope INTEGER NOT NULL REFERENCES scope,
                        role INTEGER NOT NULL, mode INTEGER NOT NULL, PRIMARY KEY(person, scope)) WITHOUT ROWID;
CREATE TABLE device(key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, public_key BLOB NOT NULL UNIQUE,
                    person INTEGER NOT NULL REFERENCES person, name TEXT NOT NULL, last_counter INTEGER NOT NULL DEFAULT 0,
                    last_batch_hash BLOB NOT NULL, enrolled INTEGER NOT NULL, revoked INTEGER, seen INTEGER);
CREATE TABLE enrolment_code(hash BLOB PRIMARY KEY, person INTEGER NOT NULL REFERENCES person, expires INTEGER NOT NULL,
                            used INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;

-- The exact signed bytes, append-only; with operation_index it is history and audit log in one.
CREATE TABLE batch(key INTEGER PRIMARY KEY, device INTEGER NOT NULL REFERENCES device, first INTEGER NOT NULL,
                   last INTEGER NOT NULL, hash BLOB NOT NULL, previous BLOB NOT NULL, encoding INTEGER NOT NULL,
                   signature BLOB NOT NULL, content BLOB NOT NULL, received INTEGER NOT NULL, UNIQUE(device, first));
CREATE TABLE operation_index(scope INTEGER NOT NULL, seq INTEGER NOT NULL, device INTEGER NOT NULL, counter INTEGER NOT NULL,
                             record BLOB NOT NULL, effective INTEGER NOT NULL, received INTEGER NOT NULL,
                             PRIMARY KEY(scope, seq)) WITHOUT ROWID;
CREATE TABLE quarantine(device INTEGER NOT NULL, counter INTEGER NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
                        operation BLOB NOT NULL, received INTEGER NOT NULL, PRIMARY KEY(device, counter)) WITHOUT ROWID;

CREATE TABLE record(key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, scope INTEGER NOT NULL, form TEXT NOT NULL,
                    first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, hash INTEGER NOT NULL,
                    head BLOB NOT NULL, body BLOB NOT NULL);
CREATE UNIQUE INDEX record_by_seq ON record(scope, last_seq);
CREATE TABLE open_conflict(record BLOB NOT NULL, item BLOB NOT NULL, field INTEGER NOT NULL,
                           PRIMARY KEY(record, item, field)) WITHOUT ROWID;
)"},
      {2, R"(
-- The files, attachments and previews, that applied operations of a scope name. Complete: the
-- bytes came, and were what the name promises.
CREATE TABLE attachment(scope INTEGER NOT NULL, sha256 BLOB NOT NULL, size INTEGER NOT NULL,
                        complete INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(scope, sha256, size)) WITHOUT ROWID;
-- Whose operations name them: who saved a photo may bring its bytes, also where they have left the
-- scope since. scope 0: the operation is in quarantine, and nobody may read the file. Another since migration 3.
CREATE TABLE attachment_author(device INTEGER NOT NULL, sha256 BLOB NOT NULL, size INTEGER NOT NULL,
                               scope INTEGER NOT NULL, PRIMARY KEY(device, sha256, size, scope)) WITHOUT ROWID;
-- How many bytes of a device's upload are on stable storage.
CREATE TABLE attachment_upload(device INTEGER NOT NULL, sha256 BLOB NOT NULL, durable INTEGER NOT NULL,
                               PRIMARY KEY(device, sha256)) WITHOUT ROWID;
-- How many bytes were taken of a device on its last day (UTC, since 1970).
CREATE TABLE attachment_day(device INTEGER PRIMARY KEY, day INTEGER NOT NULL, bytes INTEGER NOT NULL);
-- Operations are read by the service, which then takes this away.
INSERT INTO setting SELECT 'attachments_to_index', 1 WHERE EXISTS (SELECT 1 FROM operation_index);
)"},
      {3, R"(
-- `complete`: 0, or the attachments_version at which the bytes had come; 1 where that was before there were versions.
INSERT INTO setting VALUES('attachments_version', 1);
CREATE INDEX attachment_by_version ON attachment(complete) WHERE complete > 1;
-- Files of operations in quarantine: each device's stand apart, in the scope of its key, negative.
INSERT INTO attachment SELECT -w.device, a.sha256, a.size, a.complete FROM attachment_author w JOIN attachment a
  ON a.scope = 0 AND a.sha256 = w.sha256 AND a.size = w.size WHERE w.scope = 0;
UPDATE attachment_author SET scope = -device WHERE scope = 0;
DELETE FROM attachment WHERE scope = 0;
CREATE INDEX device_by_person ON device(person);
)"},
      {4, R"(
-- Who takes part in a record; part: PartTaken of store.h. `since` is a place in the scope's order, as seq is.
CREATE TABLE participant(person INTEGER NOT NULL REFERENCES person, scope INTEGER NOT NULL REFERENCES scope,
                         record BLOB NOT NULL, since INTEGER NOT NULL, part INTEGER NOT NULL DEFAULT 0,
                         PRIMARY KEY(person, scope, record)) WITHOUT ROWID;
CREATE INDEX participant_by_record ON participant(record);
INSERT INTO participant(person, scope, record, since) SELECT d.person, o.scope, o.record, min(o.seq)
  FROM operation_index o JOIN device d ON d.key = o.device GROUP BY 1, 2, 3;
-- By the forms' part_of.
CREATE TABLE part_of(scope INTEGER NOT NULL, whole BLOB NOT NULL, part BLOB NOT NULL,
                     PRIMARY KEY(scope, whole, part)) WITHOUT ROWID;
CREATE INDEX part_of_by_part ON part_of(scope, part);
-- Which records name a file, and by whose device. is_proved: who named it could read it, or brought its bytes.
CREATE TABLE attachment_record(scope INTEGER NOT NULL, sha256 BLOB NOT NULL, size INTEGER NOT NULL, record BLOB NOT NULL,
                               device INTEGER NOT NULL, is_proved INTEGER NOT NULL,
                               PRIMARY KEY(scope, sha256, size, record, device)) WITHOUT ROWID;
CREATE INDEX record_by_form ON record(form, scope, last_seq);
ALTER TABLE form ADD COLUMN reference_data INTEGER NOT NULL DEFAULT 0;
-- Forms and operations are read by the service, which then takes this away.
INSERT OR REPLACE INTO setting SELECT 'attachments_to_index', 1 WHERE EXISTS (SELECT 1 FROM form);
)"},
      {5, R"(
-- The id is the code's first letters: wrong tries are counted for it, also where there is no such code.
DROP TABLE enrolment_code;
CREATE TABLE enrolment_code(id TEXT PRIMARY KEY, hash BLOB NOT NULL, person INTEGER NOT NULL REFERENCES person,
                            expires INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0,
                            withdrawn INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE enrolment_try(id TEXT PRIMARY KEY, wrong INTEGER NOT NULL) WITHOUT ROWID;
-- What the office refused an operation for, before it was returned to its author with another code.
ALTER TABLE quarantine ADD COLUMN refused_for TEXT NOT NULL DEFAULT '';
-- Of its arrival: an operation that is accepted later gets the time that it would have had.
ALTER TABLE quarantine ADD COLUMN clock_offset INTEGER NOT NULL DEFAULT 0;
)"},
      {6, R"(
-- The audit log, append-only (service/audit_log.h). root, signature: the checkpoint after the entry.
CREATE TABLE audit_entry(number INTEGER PRIMARY KEY, time INTEGER NOT NULL, entry BLOB NOT NULL, root BLOB NOT NULL,
                         signature BLOB NOT NULL);
-- The complete subtrees of its tree.
CREATE TABLE audit_node(level INTEGER NOT NULL, place INTEGER NOT NULL, hash BLOB NOT NULL,
                        PRIMARY KEY(level, place)) WITHOUT ROWID;
-- Checkpoints that it signed before the database was replaced by an older copy, and the entry that admits it.
CREATE TABLE audit_loss(size INTEGER NOT NULL, root BLOB NOT NULL, entry INTEGER NOT NULL,
                        PRIMARY KEY(size, root)) WITHOUT ROWID;
-- 0: from before there was a log; the start gives it one.
ALTER TABLE batch ADD COLUMN entry INTEGER NOT NULL DEFAULT 0;
)"},
  });
  return migrations;
}

}  // namespace fieldsync::server
