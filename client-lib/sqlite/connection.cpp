#include "sqlite/connection.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <new>
#include <utility>

namespace fieldsync::sqlite {
namespace {

// SQLite's file layer takes less than 128 KiB at a time.
constexpr sqlite3_int64 log_piece_bytes = 64 * 1024;

// Runs `body` with the open file. What it says, or SQLite's code where the file cannot be opened.
template <typename Body>
int with_file(sqlite3_vfs& files, const char* name, int flags, Body body) {
  auto* file = static_cast<sqlite3_file*>(sqlite3_malloc(files.szOsFile));
  if (file == nullptr) throw std::bad_alloc();
  std::memset(file, 0, static_cast<std::size_t>(files.szOsFile));
  int code = files.xOpen(&files, name, file, flags, nullptr);
  if (code == SQLITE_OK) {
    code = body(*file);
    file->pMethods->xClose(file);
  }
  sqlite3_free(file);
  return code;
}

// As far as the disk lets it.
void overwrite_file(sqlite3_vfs& files, const char* name, int kind) {
  static constexpr std::array<char, 4096> zeros{};
  with_file(files, name, SQLITE_OPEN_READWRITE | kind, [](sqlite3_file& file) {
    sqlite3_int64 size = 0;
    file.pMethods->xFileSize(&file, &size);
    for (sqlite3_int64 at = 0; at < size; at += static_cast<sqlite3_int64>(zeros.size())) {
      const auto step = static_cast<int>(std::min(static_cast<sqlite3_int64>(zeros.size()), size - at));
      file.pMethods->xWrite(&file, zeros.data(), step, at);
    }
    return file.pMethods->xSync(&file, SQLITE_SYNC_FULL);
  });
}

Errc classify(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL: return Errc::storage_full;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Errc::storage_corrupt;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Errc::in_use;
    default: return Errc::storage_failed;
  }
}

// Whether the operating system could not read from the database's file or its journal. SQLite on
// Unix calls the page damaged then: SQLITE_IOERR_CORRUPTFS, which it turns into SQLITE_CORRUPT.
bool reading_failed(sqlite3* database) {
  const auto failed = [database](int which) {
    sqlite3_file* file = nullptr;
    int error = 0;
    return sqlite3_file_control(database, "main", which, &file) == SQLITE_OK && file != nullptr &&
           file->pMethods != nullptr &&
           file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error) == SQLITE_OK &&
           (error == EIO || error == ENXIO || error == ERANGE);
  };
  return failed(SQLITE_FCNTL_FILE_POINTER) || failed(SQLITE_FCNTL_JOURNAL_POINTER);
}

[[noreturn]] void fail(sqlite3* database, int code) {
  if ((code & 0xFF) == SQLITE_NOMEM || code == SQLITE_IOERR_NOMEM) throw std::bad_alloc();
  const char* message = database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code);
  if ((code & 0xFF) == SQLITE_CORRUPT && database != nullptr && reading_failed(database))
    throw SqliteError(Errc::storage_failed, sqlite3_errstr(SQLITE_IOERR));
  throw SqliteError(classify(code), message);
}

void check(sqlite3_stmt* statement, int code) {
  if (code != SQLITE_OK) fail(sqlite3_db_handle(statement), code);
}

// A file's own answer: the connection knows nothing of it.
void check_file(int code) {
  if (code != SQLITE_OK) fail(nullptr, code);
}

sqlite3_vfs& file_layer() {
  sqlite3_vfs* files = sqlite3_vfs_find(nullptr);
  FIELDSYNC_CHECK(files != nullptr, "SQLite has a file layer");
  return *files;
}

// Pre: SQLite has not opened the log yet.
bool has_log(sqlite3* database) {
  sqlite3_vfs& files = file_layer();
  // Where the file is a link, the log stands beside what it leads to.
  const char* log = sqlite3_filename_wal(sqlite3_db_filename(database, "main"));
  sqlite3_int64 size = 0;
  const int code = with_file(files, log, SQLITE_OPEN_READONLY | SQLITE_OPEN_WAL,
                             [&](sqlite3_file& file) { return file.pMethods->xFileSize(&file, &size); });
  if (code == SQLITE_OK) return size > 0;
  // SQLite's file layer calls missing what the disk could not look up: so it is asked twice.
  int exists = 0;
  check_file(files.xAccess(&files, log, SQLITE_ACCESS_EXISTS, &exists));
  if (exists != 0) check_file(code);
  return false;
}

}  // namespace

void forget_memory_statistics() {
  const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  FIELDSYNC_CHECK(code == SQLITE_OK, "it is called before SQLite is used");
}

bool database_exists(const std::string& path) {
  sqlite3_vfs& files = file_layer();
  int exists = 0;
  check_file(files.xAccess(&files, path.c_str(), SQLITE_ACCESS_EXISTS, &exists));
  return exists != 0;
}

void delete_database(const std::string& path) {
  sqlite3_vfs& files = file_layer();
  // The database goes last: as long as it is there, it says that it was wiped.
  for (const char* part : {"-journal", "-wal", "-shm", ""}) {
    const int code = files.xDelete(&files, (path + part).c_str(), 1);
    if (code != SQLITE_OK && code != SQLITE_IOERR_DELETE_NOENT) fail(nullptr, code);
  }
}

void overwrite_database(const std::string& path) {
  sqlite3_vfs& files = file_layer();
  const std::unique_ptr<const char, void (*)(const char*)> name(
      sqlite3_create_filename(path.c_str(), "", (path + "-wal").c_str(), 0, nullptr), sqlite3_free_filename);
  if (!name) throw std::bad_alloc();
  overwrite_file(files, sqlite3_filename_wal(name.get()), SQLITE_OPEN_WAL);
  overwrite_file(files, name.get(), SQLITE_OPEN_MAIN_DB);
}

Statement::~Statement() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::bind(int index, std::int64_t number) {
  check(statement_, sqlite3_bind_int64(statement_, index, number));
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  // A null pointer would bind NULL; an empty blob is an empty blob.
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  check(statement_, sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind_text(int index, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  check(statement_, sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_copy(int index, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  check(statement_, sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_TRANSIENT));
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  fail(sqlite3_db_handle(statement_), code);
}

void Statement::run() {
  while (step()) {
  }
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Statement::blob(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string_view()
                         : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

Connection::Connection(const std::string& path, OpenMode mode) {
  const int flags = mode == OpenMode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  try {
    const int code =
        sqlite3_open_v2(path.c_str(), &database_, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    if (code != SQLITE_OK) fail(database_, code);
    found_no_log_ = !has_log(database_);
    // The file may have been prepared by somebody else: no code from its schema.
    sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    if (mode == OpenMode::read_only) keep_log_at_close(true);
    sqlite3_busy_timeout(database_, mode == OpenMode::read_only ? 10'000 : 2'000);
    execute("PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA temp_store=MEMORY;");
  } catch (const SqliteError& error) {
    sqlite3_close(database_);
    throw SqliteError(error.code(), path + ": " + error.what());
  } catch (...) {
    sqlite3_close(database_);
    throw;
  }
}

Connection::~Connection() {
  for (const auto& [sql, statement] : prepared_) sqlite3_finalize(statement);
  // Not earlier: it makes SQLite compile every statement anew, for which there may be no memory.
  sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keeps_log_at_close_ ? 1 : 0, nullptr);
  sqlite3_close(database_);
}

void Connection::execute(const char* sql) {
  const int code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(database_, code);
}

Statement Connection::prepare(const char* sql) {
  // The place for it comes first: a statement without one would be lost.
  sqlite3_stmt*& statement = prepared_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail(database_, code);
  }
  return Statement(statement);
}

void Connection::lock_exclusively() {
  execute("PRAGMA locking_mode=EXCLUSIVE;");
  execute("BEGIN EXCLUSIVE; COMMIT;");
}

void Connection::rewrite_log() {
  // Where it fails, the log stays as it is: to close must not move half of it.
  const bool kept = std::exchange(keeps_log_at_close_, true);
  prepare("SELECT count(*) FROM sqlite_schema").run();  // now the log is open
  sqlite3_file* log = nullptr;
  check_file(sqlite3_file_control(database_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log));
  if (log == nullptr || log->pMethods == nullptr)
    throw SqliteError(Errc::storage_failed, "the database has no write-ahead log");
  sqlite3_int64 size = 0;
  check_file(log->pMethods->xFileSize(log, &size));
  std::string piece;
  for (sqlite3_int64 at = 0; at < size; at += static_cast<sqlite3_int64>(piece.size())) {
    piece.resize(static_cast<std::size_t>(std::min<sqlite3_int64>(size - at, log_piece_bytes)));
    const int bytes = static_cast<int>(piece.size());
    check_file(log->pMethods->xRead(log, piece.data(), bytes, at));
    check_file(log->pMethods->xWrite(log, piece.data(), bytes, at));
  }
  if (size > 0) check_file(log->pMethods->xSync(log, SQLITE_SYNC_FULL));
  keeps_log_at_close_ = kept;
}

bool Connection::checkpoint(Log log) noexcept {
  const int mode = log == Log::emptied ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  int pages = 0;
  int moved = 0;
  return sqlite3_wal_checkpoint_v2(database_, nullptr, mode, &pages, &moved) == SQLITE_OK && pages == moved;
}

std::string Connection::integrity_problem(const char* check) {
  auto found = prepare(check);
  if (!found.step()) return "the check did not run";
  std::string answer(found.text(0));
  if (answer == "ok") return {};
  if (reading_failed(database_)) throw SqliteError(Errc::storage_failed, answer);
  return answer;
}

std::int64_t Connection::changes() const { return sqlite3_changes64(database_); }

Transaction::Transaction(Connection& connection) : connection_(connection), rollback_(connection.prepare("ROLLBACK")) {
  connection_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    rollback_.run();
  } catch (const std::exception&) {
    // SQLite rolled back by itself already (a full disk, an I/O error).
  }
}

void Transaction::commit() {
  connection_.execute("COMMIT");
  open_ = false;
}

ReadTransaction::ReadTransaction(Connection& connection) : end_(connection.prepare("COMMIT")) {
  connection.execute("BEGIN");
}

ReadTransaction::~ReadTransaction() {
  try {
    end_.run();
  } catch (const std::exception&) {
    // A read that failed has nothing to end.
  }
}

}  // namespace fieldsync::sqlite
