// migrations.h: brings a database's tables to the version that the program knows.
#pragma once

#include <span>

#include "sqlite/connection.h"

namespace fieldsync::sqlite {

struct Migration {
  int version;      // ascending from 1
  const char* sql;  // tables and indexes
};

// Runs what is missing in one transaction. storage_too_new: a newer program made
// the file. storage_corrupt: it belongs to another application.
void migrate(Connection& connection, int application_id, std::span<const Migration> migrations);

}  // namespace fieldsync::sqlite
