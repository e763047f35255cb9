#include "store/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <new>
#include <optional>

#include "sqlite/connection.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_transaction.h"

namespace fieldsync::server {

struct SqliteStore::Job {
  const std::function<Result<void>(WriteTransaction&)>* body = nullptr;
  std::optional<Result<void>> result;
  std::exception_ptr thrown;
  bool done = false;
};

SqliteStore::SqliteStore(std::string path, StoreHost host) : path_(std::move(path)), host_(host) {}

Result<void> SqliteStore::lock_against_others() {
  lock_file_ = ::open((path_ + ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (lock_file_ < 0) return Error{Errc::storage_failed, "The database's folder cannot be written: " + path_ + "."};
  if (::flock(lock_file_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return Error{Errc::storage_failed, "The file " + path_ + ".lock cannot be locked."};
  return Error{Errc::in_use, "Another fieldsync-server uses " + path_ + ". Stop it first."};
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path, StoreHost host) {
  std::unique_ptr<SqliteStore> store(new SqliteStore(path, host));
  if (host == StoreHost::process) {
    if (auto locked = store->lock_against_others(); !locked) return locked.error();
  }
  return sqlite::guard([&]() -> Result<std::unique_ptr<SqliteStore>> {
    store->writer_ = std::make_unique<sqlite::Connection>(path, sqlite::OpenMode::read_write);
    store->writer_->execute(
        "PRAGMA synchronous=EXTRA; PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;"
        "PRAGMA cache_size=-16384; PRAGMA wal_autocheckpoint=4000;");
    store->writer_->rewrite_log();
    sqlite::migrate(*store->writer_, application_id, server_migrations());
    if (host == StoreHost::process) store->thread_ = std::thread([raw = store.get()] { raw->run_writer(); });
    return std::move(store);
  });
}

void SqliteStore::prepare_process() { sqlite::forget_memory_statistics(); }

SqliteStore::~SqliteStore() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  if (thread_.joinable()) thread_.join();
  idle_readers_.clear();
  writer_.reset();
  if (lock_file_ >= 0) ::close(lock_file_);
}

Result<void> SqliteStore::write(const std::function<Result<void>(WriteTransaction&)>& body) {
  Job job;
  job.body = &body;
  if (host_ == StoreHost::single_thread) {
    std::deque<Job*> alone{&job};
    commit_together(alone);
  } else {
    std::unique_lock lock(mutex_);
    if (stopping_) return Error{Errc::overloaded, "The server is stopping. Try again in a moment."};
    waiting_.push_back(&job);
    work_.notify_one();
    done_.wait(lock, [&] { return job.done; });
  }
  if (job.thrown) std::rethrow_exception(job.thrown);
  return *job.result;
}

void SqliteStore::run_writer() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::deque<Job*> jobs;
    jobs.swap(waiting_);
    lock.unlock();
    commit_together(jobs);
    lock.lock();
    for (Job* job : jobs) job->done = true;
    done_.notify_all();
  }
}

void SqliteStore::commit_together(std::deque<Job*>& jobs) {
  const auto outcome = sqlite::guard([&]() -> Result<void> {
    sqlite::Transaction transaction(*writer_);
    for (Job* job : jobs) {
      SqliteTransaction view(*writer_);
      writer_->execute("SAVEPOINT job");
      try {
        job->result = (*job->body)(view);
      } catch (const sqlite::SqliteError&) {
        throw;
      } catch (...) {
        job->thrown = std::current_exception();
      }
      if (job->thrown || !*job->result) writer_->execute("ROLLBACK TO job");
      writer_->execute("RELEASE job");
    }
    transaction.commit();
    return {};
  });
  if (outcome) return;
  // Nothing was committed: whoever was told nothing may try again.
  for (Job* job : jobs) {
    if (job->thrown || (job->result && !*job->result)) continue;
    try {
      job->result = outcome;
    } catch (const std::bad_alloc&) {
      job->thrown = std::current_exception();
    }
  }
}

Result<void> SqliteStore::open_readers(std::size_t count) {
  return sqlite::guard([&]() -> Result<void> {
    std::vector<std::unique_ptr<sqlite::Connection>> readers;
    while (readers.size() < count) {
      readers.push_back(borrow_reader());
      // SQLite opens its files with the first look.
      const sqlite::ReadTransaction snapshot(*readers.back());
      static_cast<void>(SqliteTransaction(*readers.back()).scopes());
    }
    for (auto& reader : readers) return_reader(std::move(reader));
    return {};
  });
}

std::unique_ptr<sqlite::Connection> SqliteStore::borrow_reader() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_readers_.empty()) {
      auto reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
      return reader;
    }
  }
  return std::make_unique<sqlite::Connection>(path_, sqlite::OpenMode::read_only);
}

void SqliteStore::return_reader(std::unique_ptr<sqlite::Connection> reader) {
  const std::lock_guard lock(mutex_);
  idle_readers_.push_back(std::move(reader));
}

Result<void> SqliteStore::read(const std::function<Result<void>(ReadTransaction&)>& body) {
  return sqlite::guard([&]() -> Result<void> {
    auto reader = borrow_reader();
    Result<void> result;
    {
      const sqlite::ReadTransaction snapshot(*reader);
      SqliteTransaction view(*reader);
      result = body(view);
    }
    return_reader(std::move(reader));
    return result;
  });
}

}  // namespace fieldsync::server
