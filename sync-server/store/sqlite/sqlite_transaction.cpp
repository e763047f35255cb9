#include "store/sqlite/sqlite_transaction.h"

namespace fieldsync::server {

std::uint64_t SqliteTransaction::version(std::string_view name) {
  auto select = connection_.prepare("SELECT value FROM setting WHERE name = ?1");
  select.bind_text(1, name);
  return select.step() ? select.unsigned_integer(0) : 0;
}

std::uint64_t SqliteTransaction::raise_version(std::string_view name) {
  // By up to 2^32, so that two billion changes fit.
  auto update = connection_.prepare(
      "UPDATE setting SET value = value + 1 + (random() & 0xFFFFFFFF) WHERE name = ?1 RETURNING value");
  update.bind_text(1, name);
  update.step();
  const std::uint64_t raised = update.unsigned_integer(0);
  update.run();
  return raised;
}

std::string SqliteTransaction::setting(std::string_view name) {
  auto select = connection_.prepare("SELECT value FROM setting WHERE name = ?1");
  select.bind_text(1, name);
  return select.step() ? std::string(select.blob(0)) : std::string();
}

void SqliteTransaction::put_setting(std::string_view name, std::string_view value) {
  auto upsert = connection_.prepare("INSERT OR REPLACE INTO setting(name, value) VALUES(?1, ?2)");
  upsert.bind_text(1, name).bind_blob(2, value).run();
}

std::uint64_t SqliteTransaction::count(const char* sql) {
  auto select = connection_.prepare(sql);
  return select.step() ? select.unsigned_integer(0) : 0;
}

Counts SqliteTransaction::counts() {
  return {count("SELECT count(*) FROM record"),
          count("SELECT count(*) FROM operation_index"),
          count("SELECT count(*) FROM open_conflict"),
          count("SELECT count(*) FROM quarantine"),
          count("SELECT count(*) FROM (SELECT DISTINCT sha256, size FROM attachment WHERE complete <> 0)"),
          count("SELECT count(*) FROM (SELECT DISTINCT sha256, size FROM attachment WHERE complete = 0)")};
}

std::string SqliteTransaction::integrity_problem() { return connection_.integrity_problem(); }

}  // namespace fieldsync::server
