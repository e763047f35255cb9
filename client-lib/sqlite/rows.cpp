// What Connection tells a RowListener. SQLite's pre-update hook also hears of rows that
// REPLACE removes and of tables that are emptied whole.
#define SQLITE_ENABLE_PREUPDATE_HOOK
#include <sqlite3.h>

#include <functional>

#include "sqlite/connection.h"

namespace fieldsync::sqlite {
namespace {

void append_number(std::string& bytes, std::uint64_t number) {
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(number >> (8 * i));
}

void append_value(std::string& bytes, sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  bytes += static_cast<char>(type);
  if (type == SQLITE_NULL) return;
  if (type == SQLITE_INTEGER) return append_number(bytes, static_cast<std::uint64_t>(sqlite3_value_int64(value)));
  // Before its length: it may change the value's form.
  const void* content = sqlite3_value_blob(value);
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
  append_number(bytes, size);
  if (content != nullptr) bytes.append(static_cast<const char*>(content), size);
}

// A value that is longer than a page is read from the disk.
Errc reason(int code) {
  if ((code & 0xFF) == SQLITE_NOMEM || code == SQLITE_IOERR_NOMEM) return Errc::out_of_memory;
  return (code & 0xFF) == SQLITE_CORRUPT ? Errc::storage_corrupt : Errc::storage_failed;
}

using Column = std::function<int(int column, sqlite3_value** value)>;

void tell_row(RowListener& listener, std::string_view table, int columns, const Column& column) noexcept {
  try {
    std::string row(table);
    row += '\0';
    for (int i = 0; i < columns; ++i) {
      sqlite3_value* value = nullptr;
      if (const int code = column(i, &value); code != SQLITE_OK) return listener.on_lost_row(reason(code));
      append_value(row, value);
    }
    listener.on_row(table, row);
  } catch (const std::exception&) {
    listener.on_lost_row(Errc::out_of_memory);
  }
}

void on_change(void* listener, sqlite3* database, int operation, const char*, const char* table, sqlite3_int64,
               sqlite3_int64) {
  auto& heard_by = *static_cast<RowListener*>(listener);
  const int columns = sqlite3_preupdate_count(database);
  if (operation != SQLITE_INSERT) {
    tell_row(heard_by, table, columns,
             [&](int column, sqlite3_value** value) { return sqlite3_preupdate_old(database, column, value); });
  }
  if (operation != SQLITE_DELETE) {
    tell_row(heard_by, table, columns,
             [&](int column, sqlite3_value** value) { return sqlite3_preupdate_new(database, column, value); });
  }
}

}  // namespace

void Connection::listen(RowListener* listener) {
  sqlite3_preupdate_hook(database_, listener == nullptr ? nullptr : on_change, listener);
}

void Statement::tell(std::string_view table, RowListener& listener) const {
  tell_row(listener, table, sqlite3_column_count(statement_), [&](int column, sqlite3_value** value) {
    *value = sqlite3_column_value(statement_, column);
    return *value == nullptr ? SQLITE_NOMEM : SQLITE_OK;
  });
}

}  // namespace fieldsync::sqlite
