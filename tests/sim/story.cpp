#include "sim/story.h"

#include <cstdio>

#include "codec/digest.h"

namespace fieldsync::sim {

void Story::tell(const std::string& who, const std::string& what) {
  const std::int64_t at = schedule_.now();
  char time[48];
  std::snprintf(time, sizeof time, "day %02d %02d:%02d:%02d.%03d  ", static_cast<int>(at / day_ms),
                static_cast<int>(at / hour_ms % 24), static_cast<int>(at / minute_ms % 60),
                static_cast<int>(at / second_ms % 60), static_cast<int>(at % second_ms));
  lines_.push_back(time + who + ": " + what);
}

std::uint64_t Story::hash() const {
  std::uint64_t sum = 0;
  for (const std::string& line : lines_) sum = sum * 1099511628211u + codec::hash_bytes(line);
  return sum;
}

}  // namespace fieldsync::sim
