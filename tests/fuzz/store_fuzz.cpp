// store_fuzz.cpp: a phone's database that somebody else wrote into: bytes of the
// sealed file, or values of the rows of one that an older app left open, which are then
// sealed. Opening, reading, editing and syncing may fail with any error, and with nothing
// else.
#include <array>
#include <stdexcept>
#include <string>

#include "core/id.h"
#include "fuzz/input.h"
#include "fuzz/must_hold.h"
#include "fuzz/sound_team.h"
#include "fuzz/target.h"
#include "sim/team/database_file.h"
#include "sim/team/older_app.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;

constexpr std::size_t changes_max = 8;

struct Column {
  const char* table;
  const char* name;
};

constexpr std::array columns{Column{"meta", "value"},
                             Column{"scope", "id"},
                             Column{"scope", "name"},
                             Column{"scope", "role"},
                             Column{"scope", "cursor"},
                             Column{"scope", "digest"},
                             Column{"person", "id"},
                             Column{"person", "name"},
                             Column{"form", "name"},
                             Column{"form", "version"},
                             Column{"form", "bytes"},
                             Column{"record", "id"},
                             Column{"record", "scope"},
                             Column{"record", "form"},
                             Column{"record", "head"},
                             Column{"record", "body"},
                             Column{"record", "body_hash"},
                             Column{"record", "hash"},
                             Column{"record", "shown_head"},
                             Column{"record", "shown_body"},
                             Column{"record", "stale"},
                             Column{"operation", "counter"},
                             Column{"operation", "record"},
                             Column{"operation", "bytes"},
                             Column{"operation", "elements"},
                             Column{"batch", "first"},
                             Column{"batch", "last"},
                             Column{"batch", "hash"},
                             Column{"batch", "previous"},
                             Column{"batch", "encoding"},
                             Column{"batch", "signature"},
                             Column{"batch", "content"},
                             Column{"scope", "reading_mode"},
                             Column{"record", "shown_body_hash"},
                             Column{"refused", "counter"},
                             Column{"refused", "record"},
                             Column{"refused", "bytes"},
                             Column{"refused", "code"},
                             Column{"refused", "message"},
                             Column{"batch_stamps", "first"},
                             Column{"batch_stamps", "last"},
                             Column{"batch_stamps", "stamps"},
                             Column{"former_batch", "device"},
                             Column{"former_batch", "first"},
                             Column{"former_batch", "last"},
                             Column{"former_batch", "hash"},
                             Column{"former_batch", "previous"},
                             Column{"former_batch", "encoding"},
                             Column{"former_batch", "signature"},
                             Column{"former_batch", "content"},
                             Column{"former_refused", "device"},
                             Column{"former_refused", "counter"},
                             Column{"former_refused", "record"},
                             Column{"former_refused", "bytes"},
                             Column{"former_refused", "code"},
                             Column{"former_refused", "message"}};

// The tables that the team's phone has nothing in: an operation that the office refused, and
// what another id of the phone had signed and was refused.
constexpr const char* rare_rows =
    "INSERT INTO refused SELECT 1, r.id, o.bytes, 'not_permitted', 'Not here.' FROM operation o"
    " JOIN record r ON r.row = o.record LIMIT 1;"
    "INSERT INTO former_batch SELECT zeroblob(16), first, last, hash, previous, encoding, signature, content FROM "
    "batch;"
    "INSERT INTO former_refused SELECT zeroblob(16), counter, record, bytes, code, message FROM refused;";

// In SQL.
std::string make_cell(fuzz::Input& input) {
  switch (input.below(4)) {
    case 0: return "NULL";
    case 1: return std::to_string(static_cast<std::int64_t>(input.wide_number()));
    case 2: return std::to_string(input.byte());
    default: return "x'" + core::to_hex(input.chunk()) + "'";
  }
}

// One row, or all of a small table.
std::string make_update(fuzz::Input& input) {
  const Column& column = columns[input.below(columns.size())];
  const std::string table(column.table);
  std::string sql = "UPDATE OR IGNORE " + table + " SET " + column.name + " = " + make_cell(input);
  if (table == "meta")
    return sql + " WHERE key = (SELECT key FROM meta LIMIT 1 OFFSET " + std::to_string(input.below(12)) + ")";
  if (table == "record" || table == "operation" || table == "batch" || table == "former_batch") {
    return sql + " WHERE rowid = (SELECT rowid FROM " + table + " LIMIT 1 OFFSET " + std::to_string(input.below(4)) +
           ")";
  }
  return sql;
}

void change_rows(team::Team& team, fuzz::Input& input) {
  team::undo_newest_migration(team.phone.file());
  team::DatabaseFile file(team.phone.file());
  file.execute(rare_rows);
  for (std::size_t i = 0; i < changes_max && !input.is_empty(); ++i) {
    try {
      static_cast<void>(file.rows(make_update(input)));
    } catch (const std::runtime_error&) {
      // SQLite itself does not let this value in.
    }
  }
}

sim::FileTree with_changed_bytes(sim::FileTree files, const std::string& name, fuzz::Input& input) {
  const auto file = files.find(name);
  must_hold(file.has_value(), "the phone has a database");
  for (std::size_t i = 0; i < changes_max && !input.is_empty(); ++i) {
    const std::size_t at = (input.number() << 8 | input.byte()) % files.content(*file).size();
    if (input.below(8) == 0) {
      files.apply({.kind = sim::DiskChange::Kind::truncate, .file = *file, .at = at});
      if (at == 0) return files;
    } else {
      const std::string bytes(input.bytes(1 + input.below(16)));
      files.apply({.kind = sim::DiskChange::Kind::write, .file = *file, .at = at, .bytes = bytes});
    }
  }
  return files;
}

void edit(Database& database, const core::RecordId& record) {
  auto editor = database.edit(record);
  if (!editor) return;
  static_cast<void>(editor->set("summary", std::string("Changed.")));
  static_cast<void>(editor->set("people", std::int64_t{1}));
  static_cast<void>(editor->add_item("findings"));
  static_cast<void>(editor->save());
}

void use(team::Phone& phone) {
  if (!phone.open()) return;
  Database& database = phone.database();
  const Identity identity = database.identity();
  static_cast<void>(database.person_name(identity.person));
  static_cast<void>(database.forms());
  static_cast<void>(database.scopes());
  static_cast<void>(database.status());
  static_cast<void>(database.refused());
  static_cast<void>(database.conflicts());
  static_cast<void>(database.find_by_prefix("a"));
  const auto found = database.query({.text = "cell", .include_deleted = true});
  static_cast<void>(phone.sync());
  if (found) {
    for (const RecordView& view : *found) {
      static_cast<void>(database.read(view.id));
      edit(database, view.id);
      static_cast<void>(database.delete_record(view.id));
      static_cast<void>(database.restore_record(view.id));
    }
  }
  static_cast<void>(phone.sync());
  static_cast<void>(database.status());
  phone.close();
  static_cast<void>(phone.open());
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const bool rows = input.below(2) == 0;
  team::Team& team = fuzz::sound_team().put_back();
  if (rows) {
    change_rows(team, input);
  } else {
    fuzz::sound_team().put_back(with_changed_bytes(fuzz::sound_team().phone_files(), team.phone.file(), input));
  }
  must_hold(static_cast<bool>(team.open_office()), "the office is sound");
  use(team.phone);
  return 0;
}
