#include "service/read_log.h"

#include <new>
#include <utility>

namespace fieldsync::server {
namespace {

// Pages that may wait to be put on record.
constexpr std::size_t waiting_reads_max = 1'000;

bool is_of_the_disk(const Error& error) {
  return error.code == Errc::storage_full || error.code == Errc::storage_failed;
}

}  // namespace

Result<void> ReadLog::note(const core::DeviceId& device, std::vector<v1::ScopeRead> scopes) {
  std::vector<Read> reads = take_waiting();
  const std::size_t waited = reads.size();
  reads.push_back({device, std::move(scopes)});
  const auto written = write(reads);
  const std::lock_guard lock(mutex_);
  if (written) {
    answered_ -= waited;
    return written;
  }
  // It is answered although it is not on record, and waits with the others.
  const bool may_wait = is_of_the_disk(written.error()) && answered_ < waiting_reads_max;
  if (may_wait) ++answered_;
  if (!may_wait) reads.pop_back();
  put_back(std::move(reads));
  return may_wait ? Result<void>() : written;
}

void ReadLog::write_waiting() {
  std::vector<Read> reads = take_waiting();
  if (reads.empty()) return;
  const auto written = write(reads);
  const std::lock_guard lock(mutex_);
  if (written) {
    answered_ -= reads.size();
  } else {
    put_back(std::move(reads));
  }
}

std::vector<ReadLog::Read> ReadLog::take_waiting() {
  const std::lock_guard lock(mutex_);
  return std::exchange(waiting_, {});
}

void ReadLog::put_back(std::vector<Read> reads) {
  for (Read& read : waiting_) reads.push_back(std::move(read));
  waiting_ = std::move(reads);
}

Result<void> ReadLog::write(const std::vector<Read>& reads) {
  try {
    return store_.write([&](WriteTransaction& transaction) -> Result<void> {
      for (const Read& read : reads) log_.note_read(transaction, read.device, read.scopes);
      return {};
    });
  } catch (const std::bad_alloc&) {
    return Error{Errc::out_of_memory, {}};
  } catch (const std::exception&) {
    // Whoever took the list has to put it back.
    return Error{Errc::internal_error, {}};
  }
}

}  // namespace fieldsync::server
