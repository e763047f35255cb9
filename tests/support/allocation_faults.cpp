#include "support/allocation_faults.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <new>
#include <stdexcept>

#include "support/allocation_pause.h"

namespace fieldsync::testing {
namespace {

struct Faults {
  bool counting = false;
  std::uint64_t count = 0;
  std::uint64_t nth = 0;
  Lasting lasting = Lasting::once;
  std::array<void*, 12> callers{};  // of the first one that failed
};

// operator new has no place for a context.
thread_local Faults faults;

bool allocation_fails() {
  if (!faults.counting || allocation_pauses > 0) return false;
  ++faults.count;
  if (faults.nth == 0) return false;
  if (faults.count == faults.nth) backtrace(faults.callers.data(), static_cast<int>(faults.callers.size()));
  return faults.count == faults.nth || (faults.lasting == Lasting::for_ever && faults.count > faults.nth);
}

sqlite3_mem_methods& sqlite_memory() {
  static sqlite3_mem_methods methods{};
  return methods;
}

void* sqlite_malloc(int bytes) { return allocation_fails() ? nullptr : sqlite_memory().xMalloc(bytes); }
void* sqlite_realloc(void* old, int bytes) {
  return allocation_fails() ? nullptr : sqlite_memory().xRealloc(old, bytes);
}

std::atomic<std::int64_t> held = 0;

void* allocate(std::size_t bytes) {
  void* memory = allocation_fails() ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
  if (memory != nullptr) ++held;
  return memory;
}

void* allocate_or_throw(std::size_t bytes) {
  void* memory = allocate(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void release(void* memory) {
  if (memory != nullptr) --held;
  std::free(memory);
}

}  // namespace

void let_sqlite_allocations_fail() {
  sqlite3_mem_methods& original = sqlite_memory();
  if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &original) != SQLITE_OK)
    throw std::runtime_error("SQLite is in use already");
  sqlite3_mem_methods failing = original;
  failing.xMalloc = sqlite_malloc;
  failing.xRealloc = sqlite_realloc;
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) != SQLITE_OK) throw std::runtime_error("SQLite is in use already");
}

void start_allocation_faults(std::uint64_t nth, Lasting lasting) { faults = {true, 0, nth, lasting, {}}; }

std::uint64_t stop_allocation_faults() {
  faults.counting = false;
  return faults.count;
}

bool failed_inside(std::string_view function) {
  return std::any_of(faults.callers.begin(), faults.callers.end(), [&](void* caller) {
    Dl_info found{};
    return caller != nullptr && dladdr(caller, &found) != 0 && found.dli_sname != nullptr &&
           std::string_view(found.dli_sname).find(function) != std::string_view::npos;
  });
}

std::int64_t allocations_held() { return held; }

}  // namespace fieldsync::testing

void* operator new(std::size_t bytes) { return fieldsync::testing::allocate_or_throw(bytes); }
void* operator new[](std::size_t bytes) { return fieldsync::testing::allocate_or_throw(bytes); }
// std::stable_sort asks with nothrow. Left out, the address sanitizer's own would answer, and its memory
// would come to the operators below.
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return fieldsync::testing::allocate(bytes); }
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept { return fieldsync::testing::allocate(bytes); }
void operator delete(void* memory) noexcept { fieldsync::testing::release(memory); }
void operator delete[](void* memory) noexcept { fieldsync::testing::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { fieldsync::testing::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { fieldsync::testing::release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { fieldsync::testing::release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { fieldsync::testing::release(memory); }
