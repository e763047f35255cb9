#include "sqlite/migrations.h"

#include <string>

namespace fieldsync::sqlite {
namespace {

std::int64_t pragma(Connection& connection, const char* sql) {
  auto statement = connection.prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

}  // namespace

void migrate(Connection& connection, int application_id, std::span<const Migration> migrations) {
  const std::int64_t version = pragma(connection, "PRAGMA user_version");
  const std::int64_t application = pragma(connection, "PRAGMA application_id");
  if (version > migrations.back().version) {
    throw SqliteError(Errc::storage_too_new, "version " + std::to_string(version));
  }
  if (application != application_id && (version != 0 || application != 0)) {
    throw SqliteError(Errc::storage_corrupt, "the file belongs to another application");
  }
  if (version == migrations.back().version) return;
  Transaction transaction(connection);
  for (const Migration& migration : migrations) {
    if (migration.version > version) connection.execute(migration.sql);
  }
  connection.execute(("PRAGMA application_id=" + std::to_string(application_id)).c_str());
  connection.execute(("PRAGMA user_version=" + std::to_string(migrations.back().version)).c_str());
  transaction.commit();
}

}  // namespace fieldsync::sqlite
