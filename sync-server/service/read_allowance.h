// read_allowance.h: how much of sensitive records a device is told in one day (UTC). Each read is an entry of
// the history, which grows and is never shortened: one device that reads again and again would fill the disk
// for everybody.
//
// Kept in memory: a server that is started anew has forgotten it.
//
// Threads  Any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

#include "core/id.h"
#include "core/time.h"

namespace fieldsync::server {

// About 18 MB of the history.
inline constexpr std::size_t records_read_per_day_max = 1'000'000;
// What an entry takes beside the records that it names, as so many records.
inline constexpr std::size_t records_worth_of_an_entry = 20;

class ReadAllowance {
 public:
  explicit ReadAllowance(std::size_t records_per_day = records_read_per_day_max) : records_per_day_(records_per_day) {}

  // One entry that names so many records. False where it would be too much: then it does not count.
  [[nodiscard]] bool take(const core::DeviceId& device, std::size_t records, core::Instant now);

 private:
  struct Day {
    std::int64_t day = 0;
    std::size_t records = 0;
  };

  std::size_t records_per_day_;
  std::mutex mutex_;
  std::map<core::DeviceId, Day> days_;
};

}  // namespace fieldsync::server
