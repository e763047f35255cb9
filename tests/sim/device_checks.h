// device_checks.h: what must be true of one device at any moment of a run. Each
// throws BrokenPromise. They look at the device's own store and at the books.
#pragma once

#include "api/local_store.h"
#include "sim/book.h"
#include "sim/server.h"

namespace fieldsync::sim {

// Reads into the book what was saved since. False where the disk does not let it.
[[nodiscard]] bool learn_saves(Book& book, api::LocalStore& store);

// After the power came back: everything that save() had returned is there.
void check_saves_survived(const Book& book, api::LocalStore& store);

// A device sees its own writes, unless the office refused them or took the scope away.
void check_own_writes_visible(const Book& book, api::LocalStore& store, std::size_t newest);

// What queries look at is what the store holds.
void check_index_is_current(const Book& book, api::LocalStore& store);

// No counter claims more than the office has on its disk; cursors never go back
// within an epoch.
void check_progress_is_true(Book& book, api::LocalStore& store, const Server& server);

// Where nothing was restored: the app claims no more than the office acknowledged.
void check_status_is_true(const Book& book, const Status& status);

}  // namespace fieldsync::sim
