#include "service/read_log.h"

namespace fieldsync::server {
namespace {

// Pages that may wait to be put on record.
constexpr std::size_t waiting_reads_max = 1'000;

bool is_of_the_disk(const Error& error) {
  return error.code == Errc::storage_full || error.code == Errc::storage_failed;
}

}  // namespace

Result<void> ReadLog::note(const core::DeviceId& device, std::vector<v1::ScopeRead> scopes) {
  std::vector<Read> own;
  own.push_back({device, std::move(scopes)});
  std::unique_lock lock(mutex_);
  if (waiting_.empty()) {
    lock.unlock();
    const auto written = write(own);
    if (written || !is_of_the_disk(written.error())) return written;
    lock.lock();
  }
  // One after the other while anything waits: what was answered already stays in the list until it is written.
  waiting_.push_back(std::move(own.front()));
  const auto written = write(waiting_);
  if (written) {
    waiting_.clear();
  } else if (is_of_the_disk(written.error()) && waiting_.size() <= waiting_reads_max) {
    return {};
  } else {
    waiting_.pop_back();
  }
  return written;
}

void ReadLog::write_waiting() {
  const std::lock_guard lock(mutex_);
  if (!waiting_.empty() && write(waiting_)) waiting_.clear();
}

Result<void> ReadLog::write(const std::vector<Read>& reads) {
  return store_.write([&](WriteTransaction& transaction) -> Result<void> {
    for (const Read& read : reads) log_.note_read(transaction, read.device, read.scopes);
    return {};
  });
}

}  // namespace fieldsync::server
