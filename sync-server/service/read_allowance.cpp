#include "service/read_allowance.h"

#include "service/day.h"

namespace fieldsync::server {

bool ReadAllowance::take(const core::DeviceId& device, std::size_t records, core::Instant now) {
  const std::size_t taken = records + records_worth_of_an_entry;
  const std::lock_guard lock(mutex_);
  Day& own = days_[device];
  if (own.day != day_of(now)) own = {day_of(now), 0};
  if (taken > records_per_day_ - own.records) return false;
  own.records += taken;
  return true;
}

}  // namespace fieldsync::server
