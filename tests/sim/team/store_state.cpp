#include "sim/team/store_state.h"

#include <sqlite3.h>

#include <functional>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "codec/attachment_hash.h"
#include "sim/team/database_file.h"
#include "storage/attachments.h"
#include "storage/schema.h"
#include "support/laid_open.h"
#include "support/test_unlocking.h"

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

// Throws where the bytes of an attachment are not what its name says.
std::string all_of_attachments(sqlite::Connection& connection, const storage::Vault& vault) {
  storage::Attachments attachments(connection, vault);
  std::ostringstream all;
  for (const storage::AttachmentRow& row : attachments.all()) {
    const std::string bytes = attachments.read(row, 0, row.bytes_here);
    all << row.row << ' ' << static_cast<int>(row.state) << ' ' << static_cast<int>(row.kind) << ' ' << row.file.size
        << ' ' << row.file.id.hex() << ' ' << row.record.hex() << ' ' << row.scope.hex() << ' ' << row.named_here << ' '
        << bytes << '\n';
    if (row.state == storage::AttachmentState::wanted) continue;
    codec::AttachmentHash hash;
    hash.add(bytes);
    if (bytes.size() != row.file.size || hash.id() != row.file.id)
      throw std::runtime_error("an attachment has other bytes than its name says");
  }
  auto settled = connection.prepare("SELECT device, counter FROM settled_refusal");
  while (settled.step()) all << core::to_hex(settled.blob(0)) << ' ' << settled.integer(1) << '\n';
  return all.str();
}

std::string all_of_phone(const std::string& path) {
  auto connection = storage::open_store(path, false);
  if (!connection) throw std::runtime_error(connection.error().message());
  storage::Vault vault(**connection);
  if (auto opened = testing::open_vault(**connection, vault); !opened)
    throw std::runtime_error(opened.error().message());
  return testing::laid_open(**connection, vault) + all_of_attachments(**connection, vault);
}

// Of which attachment the office says more than its disk holds for sure.
std::string missing_bytes(Team& team, DatabaseFile& file) {
  const sim::FileTree& disk = team.office_machine.files();
  const std::string folder = team.office_machine.folder() + "/attachments/";
  const auto holds = [&](const std::string& name, const std::string& bytes) {
    const std::string* durable = disk.durable(folder + name);
    return durable != nullptr && durable->size() >= std::stoull(bytes);
  };
  for (const auto& row : file.rows("SELECT lower(hex(sha256)), size FROM attachment WHERE complete")) {
    const std::string* durable = disk.durable(folder + row[0]);
    codec::AttachmentHash hash;
    if (durable != nullptr) hash.add(*durable);
    if (!holds(row[0], row[1]) || hash.id().hex() != row[0])
      return "an attachment is complete, and its bytes are not there";
  }
  for (const auto& row : file.rows("SELECT lower(hex(d.id)), lower(hex(u.sha256)), u.durable FROM attachment_upload u"
                                   " JOIN device d ON d.key = u.device")) {
    // Published already, where its row did not come to it.
    if (!holds("uploads/" + row[0] + "-" + row[1], row[2]) && !holds(row[1], row[2]))
      return "bytes of an attachment are durable, and are not there";
  }
  return {};
}

std::string file_of(Team& team, Who who) {
  if (who == Who::office) return Office::file_on(team.office_machine);
  return team.device(who).file();
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
    if (who != Who::office) state.content = std::hash<std::string>{}(all_of_phone(path));
    DatabaseFile file(path);
    if (who == Who::office) {
      state.content = content_of(file);
      state.damage = missing_bytes(team, file);
    } else {
      for (const auto& row : file.rows("SELECT bytes FROM key_slot")) state.key_slots.insert(row.front());
    }
    if (state.damage.empty()) state.damage = damage_of(file);
  } catch (const std::runtime_error& error) {
    state.damage = error.what();
  }
  return state;
}

}  // namespace fieldsync::team
