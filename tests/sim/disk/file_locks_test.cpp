#include "sim/disk/file_locks.h"

#include <sqlite3.h>

#include <catch2/catch.hpp>

namespace fieldsync::sim {
namespace {

constexpr HandleId first{1};
constexpr HandleId second{2};

TEST_CASE("one writer stands beside readers and keeps new ones out when it wants all", "[sim][disk]") {
  FileLocks locks;
  REQUIRE(locks.lock(first, SQLITE_LOCK_SHARED));
  REQUIRE(locks.lock(second, SQLITE_LOCK_SHARED));
  REQUIRE(locks.lock(first, SQLITE_LOCK_RESERVED));
  CHECK(locks.is_reserved());
  CHECK_FALSE(locks.lock(second, SQLITE_LOCK_RESERVED));
  CHECK_FALSE(locks.lock(first, SQLITE_LOCK_EXCLUSIVE));
  CHECK_FALSE(locks.lock(HandleId{3}, SQLITE_LOCK_SHARED));
  locks.unlock(second, SQLITE_LOCK_NONE);
  CHECK(locks.lock(first, SQLITE_LOCK_EXCLUSIVE));
  locks.release(first);
  CHECK_FALSE(locks.is_reserved());
  CHECK(locks.lock(second, SQLITE_LOCK_SHARED));
}

TEST_CASE("a slot of shared memory has many readers or one writer", "[sim][disk]") {
  FileLocks locks;
  REQUIRE(locks.lock_slots(first, 3, 1, false));
  REQUIRE(locks.lock_slots(second, 3, 1, false));
  CHECK_FALSE(locks.lock_slots(first, 2, 3, true));
  locks.unlock_slots(second, 3, 1);
  CHECK(locks.lock_slots(first, 2, 3, true));
  CHECK_FALSE(locks.lock_slots(second, 4, 1, false));
  locks.release(first);
  CHECK(locks.lock_slots(second, 4, 1, false));
}

TEST_CASE("shared memory is one for all and goes with the last", "[sim][disk]") {
  FileLocks locks;
  CHECK(locks.map_region(first, 0, 64, false) == nullptr);
  char* region = locks.map_region(first, 0, 64, true);
  REQUIRE(region != nullptr);
  CHECK(region[63] == 0);
  region[0] = 'x';
  CHECK(locks.map_region(second, 0, 64, false) == region);
  locks.unmap(first);
  CHECK(locks.map_region(second, 0, 64, false) == region);
  locks.unmap(second);
  CHECK(locks.map_region(first, 0, 64, false) == nullptr);
}

}  // namespace
}  // namespace fieldsync::sim
