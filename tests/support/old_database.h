// old_database.h: a server's database as an older version of the program left it.
#pragma once

#include <string>

#include "sqlite/connection.h"

namespace fieldsync::testing {

// Takes back what the migrations after `version` did: 1, 2 or 3. Nobody has the database open.
inline void make_old(const std::string& database_file, int version) {
  sqlite::Connection database(database_file, sqlite::OpenMode::read_write);
  database.execute(
      "DROP TABLE audit_entry; DROP TABLE audit_node; DROP TABLE audit_loss; ALTER TABLE batch DROP COLUMN entry;"
      "DROP TABLE enrolment_try; DROP TABLE enrolment_code;"
      "CREATE TABLE enrolment_code(hash BLOB PRIMARY KEY, person INTEGER NOT NULL REFERENCES person,"
      " expires INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
      "ALTER TABLE quarantine DROP COLUMN refused_for; ALTER TABLE quarantine DROP COLUMN clock_offset;"
      "DROP TABLE participant; DROP TABLE part_of; DROP TABLE attachment_record; DROP INDEX record_by_form;"
      "ALTER TABLE form DROP COLUMN reference_data; PRAGMA user_version=3");
  if (version == 3) return;
  database.execute(
      "DROP INDEX device_by_person; DROP INDEX attachment_by_version;"
      "DELETE FROM setting WHERE name = 'attachments_version';"
      "UPDATE attachment SET complete = 1 WHERE complete > 1; UPDATE attachment SET scope = 0 WHERE scope < 0;"
      "UPDATE attachment_author SET scope = 0 WHERE scope < 0; PRAGMA user_version=2");
  if (version == 2) return;
  database.execute(
      "DROP TABLE attachment; DROP TABLE attachment_author; DROP TABLE attachment_upload; DROP TABLE attachment_day;"
      "PRAGMA user_version=1");
}

}  // namespace fieldsync::testing
