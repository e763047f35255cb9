#include "sim/team/store_state.h"

#include <sqlite3.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <vector>

#include "sim/team/database_file.h"
#include "support/laid_open.h"

namespace fieldsync::team {
namespace {

using Kind = StoreState::Kind;

Result<void> open_and_close(Team& team, Who who) {
  Result<void> opened;
  switch (who) {
    case Who::office: opened = team.open_office(); break;
    case Who::phone: opened = team.phone.open(); break;
    case Who::tablet: opened = team.tablet.open(); break;
  }
  team.close(who);
  return opened;
}

std::uint64_t content_of(DatabaseFile& file) {
  std::string all;
  for (const auto& table : file.rows("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")) {
    all += "table " + table.front() + '\n';
    for (const auto& row : file.rows("SELECT * FROM " + table.front())) {
      for (const std::string& cell : row) all += std::to_string(cell.size()) + ':' + cell;
      all += '\n';
    }
  }
  return std::hash<std::string>{}(all);
}

std::string damage_of(DatabaseFile& file) {
  for (const char* check : {"PRAGMA integrity_check(1)", "PRAGMA foreign_key_check"}) {
    const auto rows = file.rows(check);
    if (!rows.empty() && rows.front().front() != "ok") return std::string(check) + ": " + rows.front().front();
  }
  return {};
}

std::string file_of(Team& team, Who who) {
  if (who == Who::office) return Office::file_on(team.office_machine);
  return (who == Who::phone ? team.phone : team.tablet).file();
}

// Sums wrap around: hashes are among them.
std::int64_t sum(DatabaseFile& file, const std::string& integers) {
  std::uint64_t sum = 0;
  for (const auto& row : file.rows(integers)) sum += static_cast<std::uint64_t>(std::stoll(row.front()));
  return static_cast<std::int64_t>(sum);
}

}  // namespace

Outline outline_of(Team& team, Who who) {
  Outline outline;
  DatabaseFile file(file_of(team, who));
  for (const auto& name : file.rows("SELECT name FROM sqlite_schema WHERE type = 'table'")) {
    const std::string& table = name.front();
    const std::string title = std::string(name_of(who)) + "'s " + table;
    outline[title] = sum(file, "SELECT count(*) FROM " + table);
    for (const auto& row : file.rows("SELECT name FROM pragma_table_info('" + table + "')")) {
      const std::string column = '"' + row.front() + '"';
      const std::string from = " FROM " + table + " WHERE typeof(" + column + ") = ";
      outline[title + '.' + row.front()] = sum(file, "SELECT " + column + from + "'integer'");
      outline[title + '.' + row.front() + " text"] = sum(file, "SELECT length(" + column + ")" + from + "'text'");
    }
  }
  return outline;
}

StoreState look_at(Team& team, Who who) {
  StoreState state;
  state.content = static_cast<std::uint64_t>(state.kind);
  if (who != Who::office && team.machine(who).files().names().empty()) return state;
  const auto opened = open_and_close(team, who);
  state.kind = !opened && opened.error().code == Errc::wiped ? Kind::erased : Kind::there;
  state.content = static_cast<std::uint64_t>(state.kind);
  if (state.kind == Kind::erased) {
    if (!team.machine(who).files().names().empty()) state.damage = "an erased store leaves files";
    return state;
  }
  if (!opened) {
    state.damage = "it does not open: " + opened.error().message();
    return state;
  }
  try {
    const std::string path = file_of(team, who);
    // A phone's ids and nonces are new each time: what it holds is compared.
    if (who != Who::office) state.content = std::hash<std::string>{}(testing::laid_open(path));
    DatabaseFile file(path);
    if (who == Who::office) {
      state.content = content_of(file);
    } else {
      for (const auto& row : file.rows("SELECT bytes FROM key_slot")) state.key_slots.insert(row.front());
    }
    state.damage = damage_of(file);
  } catch (const std::runtime_error& error) {
    state.damage = error.what();
  }
  return state;
}

}  // namespace fieldsync::team
