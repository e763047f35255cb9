// sqlite_store.h: the Store in one SQLite file.
//
// Exactly one connection writes and checkpoints, on a thread of its own that
// takes all waiting bodies into one transaction: a group commit, one sync to disk
// for every device that waits. Readers stand beside it (WAL). A host with a single
// thread and a file system of its own (a simulation) has each body committed in
// the caller's thread, by the same code.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "store/store.h"

namespace fieldsync::sqlite {
class Connection;
}

namespace fieldsync::server {

enum class StoreHost : std::uint8_t {
  process,        // a thread that writes, and a lock file against other processes
  single_thread,  // neither: one caller at a time, nothing outside SQLite's files
};

class SqliteStore : public Store {
 public:
  // Settles what concerns the whole process. Called once, by a program, before
  // its first store; tests and simulations do without.
  static void prepare_process();

  // Opens or creates the file for this process alone.
  [[nodiscard]] static Result<std::unique_ptr<SqliteStore>> open(const std::string& path,
                                                                 StoreHost host = StoreHost::process);
  ~SqliteStore() override;

  // From now on so many may read at once without a file that has to be opened for it. storage_failed.
  [[nodiscard]] Result<void> open_readers(std::size_t count);
  Result<void> write(const std::function<Result<void>(WriteTransaction&)>& body) override;
  Result<void> read(const std::function<Result<void>(ReadTransaction&)>& body) override;

 private:
  struct Job;
  SqliteStore(std::string path, StoreHost host);

  Result<void> lock_against_others();
  void run_writer();
  void commit_together(std::deque<Job*>& jobs);
  std::unique_ptr<sqlite::Connection> borrow_reader();
  void return_reader(std::unique_ptr<sqlite::Connection> reader);

  std::string path_;
  StoreHost host_;
  int lock_file_ = -1;
  std::unique_ptr<sqlite::Connection> writer_;

  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable done_;
  std::deque<Job*> waiting_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<sqlite::Connection>> idle_readers_;
  std::thread thread_;
};

}  // namespace fieldsync::server
