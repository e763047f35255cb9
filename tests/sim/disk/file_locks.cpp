#include "sim/disk/file_locks.h"

#include <sqlite3.h>

#include <algorithm>

namespace fieldsync::sim {
namespace {

constexpr int pending = 3;  // SQLite's header does not name this level

std::uint32_t mask_of(int first, int count) { return ((1U << count) - 1U) << first; }

}  // namespace

int FileLocks::highest_of_others(HandleId handle) const {
  int highest = SQLITE_LOCK_NONE;
  for (const auto& [other, level] : levels_) {
    if (other != handle) highest = std::max(highest, level);
  }
  return highest;
}

bool FileLocks::lock(HandleId handle, int level) {
  int& own = levels_[handle];
  if (own >= level) return true;
  const int others = highest_of_others(handle);
  if (level == SQLITE_LOCK_SHARED) {
    if (others >= pending) return false;
  } else {
    if (others >= SQLITE_LOCK_RESERVED) return false;
    if (level == SQLITE_LOCK_EXCLUSIVE && others >= SQLITE_LOCK_SHARED) {
      own = pending;
      return false;
    }
  }
  own = level;
  return true;
}

void FileLocks::unlock(HandleId handle, int level) {
  if (level == SQLITE_LOCK_NONE) {
    levels_.erase(handle);
  } else {
    levels_[handle] = std::min(levels_[handle], level);
  }
}

bool FileLocks::is_reserved() const {
  return std::any_of(levels_.begin(), levels_.end(),
                     [](const auto& entry) { return entry.second >= SQLITE_LOCK_RESERVED; });
}

bool FileLocks::lock_slots(HandleId handle, int first, int count, bool exclusive) {
  const std::uint32_t mask = mask_of(first, count);
  for (const auto& [other, slots] : mapped_) {
    if (other == handle) continue;
    if ((slots.exclusive & mask) != 0 || (exclusive && (slots.shared & mask) != 0)) return false;
  }
  Slots& own = mapped_[handle];
  (exclusive ? own.exclusive : own.shared) |= mask;
  return true;
}

void FileLocks::unlock_slots(HandleId handle, int first, int count) {
  Slots& own = mapped_[handle];
  own.shared &= ~mask_of(first, count);
  own.exclusive &= ~mask_of(first, count);
}

char* FileLocks::map_region(HandleId handle, std::size_t region, std::size_t bytes, bool make) {
  mapped_[handle];
  while (make && regions_.size() <= region) regions_.push_back(std::make_unique<char[]>(bytes));
  return region < regions_.size() ? regions_[region].get() : nullptr;
}

void FileLocks::unmap(HandleId handle) {
  mapped_.erase(handle);
  if (mapped_.empty()) regions_.clear();
}

void FileLocks::release(HandleId handle) {
  unlock(handle, SQLITE_LOCK_NONE);
  unmap(handle);
}

}  // namespace fieldsync::sim
