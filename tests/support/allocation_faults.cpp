#include "support/allocation_faults.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <sqlite3.h>
#include <zstd.h>

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

// Where the libraries lie whose malloc() fails; null until it is asked for.
std::array<void*, 3> libraries{};

bool is_in_library(const void* caller) {
  Dl_info found{};
  return dladdr(caller, &found) != 0 && found.dli_fbase != nullptr &&
         std::find(libraries.begin(), libraries.end(), found.dli_fbase) != libraries.end();
}

bool next_fails() {
  if (!faults.counting || allocation_pauses > 0) return false;
  ++faults.count;
  if (faults.nth == 0) return false;
  if (faults.count == faults.nth) backtrace(faults.callers.data(), static_cast<int>(faults.callers.size()));
  return faults.count == faults.nth || (faults.lasting == Lasting::for_ever && faults.count > faults.nth);
}

bool allocation_fails() { return libraries[0] == nullptr && next_fails(); }

// `caller`: an address inside of whoever called malloc().
[[maybe_unused]] bool library_allocation_fails(const void* caller) {
  return faults.counting && libraries[0] != nullptr && is_in_library(caller) && next_fails();
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

void let_library_allocations_fail() {
  const std::array<const void*, 3> inside{reinterpret_cast<const void*>(&ZSTD_createCCtx),
                                          reinterpret_cast<const void*>(&EVP_MD_CTX_new),
                                          reinterpret_cast<const void*>(&sodium_init)};
  for (std::size_t i = 0; i < inside.size(); ++i) {
    Dl_info found{};
    // Linked statically, it could not be told from the program.
    if (dladdr(inside[i], &found) == 0) throw std::runtime_error("a library is not where it should be");
    libraries[i] = found.dli_fbase;
  }
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

// A sanitizer has a malloc of its own, and so has any C library but glibc.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* old, std::size_t bytes);

void* malloc(std::size_t bytes) {
  return fieldsync::testing::library_allocation_fails(__builtin_return_address(0)) ? nullptr : __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  return fieldsync::testing::library_allocation_fails(__builtin_return_address(0)) ? nullptr
                                                                                   : __libc_calloc(count, bytes);
}
void* realloc(void* old, std::size_t bytes) {
  return fieldsync::testing::library_allocation_fails(__builtin_return_address(0)) ? nullptr
                                                                                   : __libc_realloc(old, bytes);
}
}
#endif
