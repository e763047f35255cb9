// connection.h: SQLite with owners: a connection, its prepared statements, a
// transaction that rolls back unless it is committed.
//
// Threads  A connection and all that belongs to it stay with one thread at a time.
// Errors   SQLite's failures are thrown as SqliteError inside a storage layer and
//          turned into a Result at its edge (see guard()): storage_full,
//          storage_corrupt, in_use, or storage_failed. Without memory it is
//          std::bad_alloc, and out_of_memory at the edge.
// Writing  Exactly one connection to a file writes and checkpoints: SQLite 3.40
//          can corrupt the log when two do (fixed in 3.51.3).
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace fieldsync::sqlite {

class SqliteError : public std::runtime_error {
 public:
  SqliteError(Errc code, const std::string& what) : std::runtime_error(what), code_(code) {}
  [[nodiscard]] Errc code() const { return code_; }

 private:
  Errc code_;
};

// Hears of rows, each as bytes that no other row of the database has: its table's name and
// all its columns, in the file's own types.
class RowListener {
 public:
  virtual ~RowListener() = default;
  // A row that went, or came; an update is one of each. Called inside SQLite: it must not
  // throw, nor use the connection.
  virtual void on_row(std::string_view table, std::string_view row) noexcept = 0;
  // A row changed that could not be told of: out_of_memory, or what the disk did.
  virtual void on_lost_row(Errc why) noexcept = 0;
};

// One prepared statement, bound and stepped. Blobs and text that are bound must
// live until the statement was stepped.
class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Parameters are numbered from 1, columns from 0, as in SQLite.
  Statement& bind(int index, std::int64_t number);
  Statement& bind_unsigned(int index, std::uint64_t number) { return bind(index, static_cast<std::int64_t>(number)); }
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind_text(int index, std::string_view text);
  // Keeps a copy of its own.
  Statement& bind_copy(int index, std::string_view bytes);

  // True while there is a row.
  bool step();
  // Runs to the end.
  void run();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::uint64_t unsigned_integer(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  // Valid until the next step.
  [[nodiscard]] std::string_view blob(int column) const;
  [[nodiscard]] std::string_view text(int column) const { return blob(column); }
  [[nodiscard]] bool is_null(int column) const;
  // Tells of the row at which it stands; all columns of `table`, in their order.
  void tell(std::string_view table, RowListener& listener) const;

 private:
  sqlite3_stmt* statement_;
};

// Turns SQLite's own count of its memory off, which takes a lock for each piece. For a
// program, before its first connection; never for a library, whose host decides.
void forget_memory_statistics();

// storage_failed.
[[nodiscard]] bool database_exists(const std::string& path);
// Deletes a database's file and its logs, and syncs their folder. What is not there is
// deleted. storage_failed. Pre: no connection to it is open.
void delete_database(const std::string& path);
// Writes zeros over the whole database and its log, in their place, as far as the disk lets it:
// takes no room. Without memory it throws. Pre: nobody has it open.
void overwrite_database(const std::string& path);

enum class OpenMode { read_write, read_only };

class Connection {
 public:
  // Opens the file, which a read_write connection creates where it is missing.
  // A database file that is not one is never replaced.
  Connection(const std::string& path, OpenMode mode);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs statements without parameters or results.
  void execute(const char* sql);

  // A statement prepared once per text and kept; it is reset when the returned
  // object goes away. `sql` is a literal: the cache is keyed by its address.
  [[nodiscard]] Statement prepare(const char* sql);

  // Takes the file for this process alone until the connection closes; in_use
  // where another has it.
  void lock_exclusively();

  // Writes the write-ahead log once more, and syncs it; storage_failed where there is
  // none. For who opens a database to write, before the first change and alone with
  // the file: where a sync failed, Linux gives programs what never reached the disk,
  // and takes it for written. A commit that failed so is found by the next program,
  // whose own commits would follow it, and go with it when the power does. (Rebello et
  // al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020.)
  void rewrite_log();

  // Moves what the log holds into the file, as far as the disk lets it: that is there without
  // the log too. `emptied`: and nothing is left in the log. Whether all of it was moved.
  enum class Log : std::uint8_t { kept, emptied };
  bool checkpoint(Log log) noexcept;
  // Whether the log held nothing, or was not there, just before this connection opened the file.
  [[nodiscard]] bool found_no_log() const { return found_no_log_; }
  // Whether the log stays when the connection closes. Else what it holds is moved then, and it goes.
  void keep_log_at_close(bool keep) noexcept { keeps_log_at_close_ = keep; }

  // The first damage that SQLite's own check finds; empty where there is none. `check`: a
  // literal that may name one table. storage_failed where the file cannot be read.
  [[nodiscard]] std::string integrity_problem(const char* check = "PRAGMA integrity_check(1)");

  // Tells `listener` of every row that changes from now on, as long as it listens; null to
  // stop. It hears also of rows whose change is undone later.
  void listen(RowListener* listener);

  [[nodiscard]] std::int64_t changes() const;

 private:
  bool found_no_log_ = false;
  bool keeps_log_at_close_ = false;
  sqlite3* database_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> prepared_;
};

// BEGIN IMMEDIATE ... COMMIT; rolls back where commit() was not reached.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Connection& connection_;
  // Prepared before it is needed: without memory it could not be compiled then,
  // and the connection would stay in its transaction for ever.
  Statement rollback_;
  bool open_ = true;
};

// A consistent view for several reads.
class ReadTransaction {
 public:
  explicit ReadTransaction(Connection& connection);
  ~ReadTransaction();
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  Statement end_;  // prepared as Transaction's
};

// Runs `body` and turns a thrown SqliteError into an Error, and a lack of memory
// too, also one that is met while the Error is made.
template <std::invocable Body>
auto guard(Body&& body) -> decltype(body()) {
  try {
    try {
      return body();
    } catch (const SqliteError& error) {
      const std::string detail = error.what();
      const std::string sentence(describe(error.code()).sentence);
      return Error{error.code(), detail.empty() ? sentence : sentence + " (" + detail + ")"};
    }
  } catch (const std::bad_alloc&) {
    return Error{Errc::out_of_memory, {}};
  }
}

}  // namespace fieldsync::sqlite
