// file_locks.h: who locks a database file, and the shared memory of its WAL.
//
// The rules are SQLite's: see sqlite3_io_methods. Shared memory goes with the
// last connection that maps it; a power cut takes it too.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace fieldsync::sim {

// One open file handle.
enum class HandleId : std::uint64_t {};

class FileLocks {
 public:
  // `level` is SQLITE_LOCK_SHARED, RESERVED or EXCLUSIVE. False: somebody is in the
  // way; who waits for EXCLUSIVE keeps new readers out (PENDING).
  [[nodiscard]] bool lock(HandleId handle, int level);
  void unlock(HandleId handle, int level);
  [[nodiscard]] bool is_reserved() const;

  // Slots of shared memory, first to first + count - 1.
  [[nodiscard]] bool lock_slots(HandleId handle, int first, int count, bool exclusive);
  void unlock_slots(HandleId handle, int first, int count);

  // The region's bytes, all zero at first; null where there is none and it is not
  // to be made.
  [[nodiscard]] char* map_region(HandleId handle, std::size_t region, std::size_t bytes, bool make);
  void unmap(HandleId handle);
  // The handle closes.
  void release(HandleId handle);

 private:
  struct Slots {
    std::uint32_t shared = 0;
    std::uint32_t exclusive = 0;
  };

  [[nodiscard]] int highest_of_others(HandleId handle) const;

  std::map<HandleId, int> levels_;
  std::map<HandleId, Slots> mapped_;
  std::vector<std::unique_ptr<char[]>> regions_;
};

}  // namespace fieldsync::sim
