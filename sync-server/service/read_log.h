// read_log.h: puts reads of sensitive records into the audit log before they are answered.
//
// Where the disk takes nothing, reads go on: they are kept in memory, and written with the
// next read or batch that can be. What is kept is lost if the server ends before that.
#pragma once

#include <mutex>
#include <vector>

#include "service/audit_log.h"

namespace fieldsync::server {

// Threads: any.
class ReadLog {
 public:
  // `store` and `log` outlive this.
  ReadLog(Store& store, const AuditLog& log) : store_(store), log_(log) {}

  // storage_full, storage_failed: more waits already than may be kept; then nobody may be given the records.
  [[nodiscard]] Result<void> note(const core::DeviceId& device, std::vector<v1::ScopeRead> scopes);
  // What waits, where anything does: now that something else could be written.
  void write_waiting();

 private:
  struct Read {
    core::DeviceId device;
    std::vector<v1::ScopeRead> scopes;
  };

  [[nodiscard]] Result<void> write(const std::vector<Read>& reads);
  // The lock is never held while the store is asked.
  [[nodiscard]] std::vector<Read> take_waiting();
  // Before those that have come since. Pre: the lock is held.
  void put_back(std::vector<Read> reads);

  Store& store_;
  const AuditLog& log_;
  std::mutex mutex_;
  std::vector<Read> waiting_;  // without those that somebody writes just now
  std::size_t answered_ = 0;   // and not on record: they wait, or are being written
};

}  // namespace fieldsync::server
