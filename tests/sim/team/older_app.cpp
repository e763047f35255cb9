#include "sim/team/older_app.h"

#include <stdexcept>

#include "sim/team/database_file.h"
#include "support/laid_open.h"

namespace fieldsync::team {

void undo_newest_migration(const std::string& path) {
  const std::string plain = testing::laid_open(path);
  DatabaseFile file(path);
  const auto version = file.rows("PRAGMA user_version");
  if (version.front().front() != "7") throw std::runtime_error("say here how the newest migration is undone");
  // First what refers to another table.
  std::string drop = "DROP TABLE operation;";
  for (const auto& table : file.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'operation'"))
    drop += "DROP TABLE " + table.front() + ";";
  file.execute("BEGIN;" + drop + plain + "PRAGMA user_version = 5; COMMIT");
}

}  // namespace fieldsync::team
