#include "service/read_log.h"

#include <iterator>

namespace fieldsync::server {
namespace {

// Pages that may wait to be put on record.
constexpr std::size_t waiting_reads_max = 1'000;

bool is_of_the_disk(const Error& error) {
  return error.code == Errc::storage_full || error.code == Errc::storage_failed;
}

}  // namespace

Result<void> ReadLog::note(const core::DeviceId& device, std::vector<v1::ScopeRead> scopes) {
  std::vector<Read> reads;
  {
    const std::lock_guard lock(mutex_);
    reads.swap(waiting_);
  }
  reads.push_back({device, std::move(scopes)});
  const auto written = write(reads);
  if (written || !is_of_the_disk(written.error())) return written;
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.begin(), std::make_move_iterator(reads.begin()), std::make_move_iterator(reads.end()));
  if (waiting_.size() <= waiting_reads_max) return {};
  waiting_.pop_back();
  return written;
}

void ReadLog::write_waiting() {
  std::vector<Read> reads;
  {
    const std::lock_guard lock(mutex_);
    reads.swap(waiting_);
  }
  if (reads.empty() || write(reads)) return;
  const std::lock_guard lock(mutex_);
  waiting_.insert(waiting_.begin(), std::make_move_iterator(reads.begin()), std::make_move_iterator(reads.end()));
}

Result<void> ReadLog::write(const std::vector<Read>& reads) {
  return store_.write([&](WriteTransaction& transaction) -> Result<void> {
    for (const Read& read : reads) log_.note_read(transaction, read.device, read.scopes);
    return {};
  });
}

}  // namespace fieldsync::server
