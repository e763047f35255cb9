// allocation_faults.h: makes allocations fail: C++'s operator new and SQLite's, or
// instead what zstd, OpenSSL and libsodium ask malloc() for.
//
// Who links allocation_faults.cpp has operator new and malloc() replaced in the whole
// program; malloc() not with a sanitizer, which has its own.
//
// Threads  The faults are the calling thread's own.
#pragma once

#include <cstdint>
#include <string_view>

namespace fieldsync::testing {

enum class Lasting : std::uint8_t { once, for_ever };

// Before anything uses SQLite.
void let_sqlite_allocations_fail();

// From now on only allocations of zstd, OpenSSL and libsodium are counted and fail.
void let_library_allocations_fail();

// From now on the n-th allocation fails, the first is 1; 0 fails none.
void start_allocation_faults(std::uint64_t nth, Lasting lasting);
// How many allocations there were since the start.
std::uint64_t stop_allocation_faults();

// Whether the first allocation that failed since the start was asked for by a function
// whose mangled name holds this, of a shared library.
bool failed_inside(std::string_view function);

// How many of operator new's allocations the program holds now, in all threads.
std::int64_t allocations_held();

}  // namespace fieldsync::testing
