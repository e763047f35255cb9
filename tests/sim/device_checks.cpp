#include "sim/device_checks.h"

#include <set>

#include "codec/operation_codec.h"
#include "sim/story.h"
#include "storage/packing.h"

namespace fieldsync::sim {
namespace {

std::optional<SavedOperation> read_saved(const Book& book, api::LocalStore& store, std::uint64_t counter) {
  auto select = store.connection->prepare("SELECT content FROM operation WHERE counter = ?1");
  select.bind_unsigned(1, counter);
  if (!select.step()) return std::nullopt;
  const std::string content = store.vault.read({seal::Place::operation, storage::row_of(counter)}, select.blob(0));
  storage::Unpacker fields(content);
  static_cast<void>(fields.number());
  SavedOperation saved;
  saved.bytes = std::string(fields.rest());
  std::size_t elements = 0;
  auto operation = codec::decode_operation(saved.bytes, {book.device, counter}, store.identity.person(), elements);
  if (!operation)
    throw BrokenPromise(book.name + " stored an operation that cannot be read: " + operation.error().message());
  saved.operation = std::move(*operation);
  for (const core::FieldWrite& write : saved.operation.writes) {
    saved.poisoned =
        saved.poisoned || (write.key.field == poisoned_field && std::holds_alternative<std::string>(write.value));
  }
  return saved;
}

// What the simulation itself reads may fail with the disk, and for no other reason.
void check_disk_is_to_blame(const Book& book, const sqlite::SqliteError& error) {
  if (error.code() != Errc::storage_failed && error.code() != Errc::storage_full)
    throw BrokenPromise(book.name + " has a store that cannot be read: " + error.what());
}

bool is_refused(api::LocalStore& store, std::uint64_t counter) {
  auto select = store.connection->prepare("SELECT 1 FROM refused WHERE counter = ?1");
  select.bind_unsigned(1, counter);
  return select.step();
}

}  // namespace

bool learn_saves(Book& book, api::LocalStore& store) {
  try {
    const std::uint64_t last = store.identity.last_counter();
    while (book.saved.size() < last) {
      auto saved = read_saved(book, store, book.saved.size() + 1);
      if (!saved)
        throw BrokenPromise(book.name + " has counted operation " + std::to_string(book.saved.size() + 1) +
                            " and does not have it");
      book.saved.push_back(std::move(*saved));
    }
    return true;
  } catch (const sqlite::SqliteError& error) {
    check_disk_is_to_blame(book, error);
    return false;
  }
}

namespace {

// Each value stands once, however often its operation came.
void check_nothing_doubled(const Book& book, const core::RecordState& shown) {
  for (const core::FieldState& field : shown.fields) {
    std::set<core::ValueId> ids;
    for (const core::Sibling& sibling : field.siblings) {
      if (!ids.insert(sibling.id).second) throw BrokenPromise(book.name + " shows one value twice");
    }
  }
}

}  // namespace

void check_saves_survived(const Book& book, api::LocalStore& store) {
  const std::uint64_t last = store.identity.last_counter();
  if (last < book.saved.size()) {
    throw BrokenPromise(book.name + " lost a save: operation " + std::to_string(book.saved.size()) +
                        " had returned, the last is " + std::to_string(last));
  }
  const std::uint64_t unknown = last - book.saved.size();
  if (unknown > book.failed_saves) throw BrokenPromise(book.name + " has a save that nobody made");
  check_own_writes_visible(book, store, book.saved.size());
}

void check_own_writes_visible(const Book& book, api::LocalStore& store, std::size_t newest) {
  const std::size_t first = book.saved.size() - std::min(newest, book.saved.size());
  try {
    for (std::size_t i = first; i < book.saved.size(); ++i) {
      const core::Operation& operation = book.saved[i].operation;
      if (!store.directory.scope(operation.scope) || is_refused(store, operation.id.counter)) continue;
      const bool was_sent = operation.id.counter <= store.identity.acknowledged_counter();
      if (was_sent && book.read_in_part.contains(operation.scope)) continue;
      const auto shown = store.records.shown(operation.record);
      if (!shown || !shown->seen.covers(operation.id)) {
        throw BrokenPromise(book.name + " does not show its own operation " + std::to_string(operation.id.counter));
      }
      check_nothing_doubled(book, *shown);
    }
  } catch (const sqlite::SqliteError& error) {
    check_disk_is_to_blame(book, error);
  }
}

void check_index_is_current(const Book& book, api::LocalStore& store) {
  try {
    store.index.refresh(store.records, store.directory);
    api::RecordIndex anew;
    anew.refresh(store.records, store.directory);
    if (store.index != anew) throw BrokenPromise(book.name + " looks for records in what is not true any more");
  } catch (const sqlite::SqliteError& error) {
    check_disk_is_to_blame(book, error);
  }
}

void check_status_is_true(const Book& book, const Status& status) {
  const std::uint64_t saved = book.saved.size();
  if (status.saved_here + std::min(book.promised, saved) < saved)
    throw BrokenPromise(book.name + " says that the office has what it never acknowledged");
  if (status.sent + status.durable > book.promised)
    throw BrokenPromise(book.name + " says that it sent more than the office acknowledged");
}

void check_progress_is_true(Book& book, api::LocalStore& store, const Server& server) {
  try {
    const std::uint64_t acknowledged = store.identity.acknowledged_counter();
    if (acknowledged > store.identity.last_counter())
      throw BrokenPromise(book.name + " counts more as sent than it saved");
    // Who left a scope and is in it again reads it from the beginning.
    std::erase_if(book.cursors, [&](const auto& known) { return !store.directory.scope(known.first); });
    for (const storage::ScopeRow& scope : store.directory.scopes()) {
      if (scope.cursor.empty()) {
        if (book.cursors.erase(scope.id) > 0 && server.restores() == 0) {
          throw BrokenPromise(book.name + " reads a scope anew, and nothing was ever restored");
        }
        continue;
      }
      const auto cursor = server::open_cursor(scope.cursor, book.device, server.cursor_key());
      if (!cursor) throw BrokenPromise(book.name + " holds a cursor that the office did not give");
      const auto known = book.cursors.find(scope.id);
      if (known != book.cursors.end() && known->second.epoch == cursor->epoch && cursor->seq < known->second.seq) {
        throw BrokenPromise(book.name + ": its cursor went back from " + std::to_string(known->second.seq) + " to " +
                            std::to_string(cursor->seq));
      }
      book.cursors[scope.id] = *cursor;
    }
  } catch (const sqlite::SqliteError& error) {
    check_disk_is_to_blame(book, error);
  }
}

}  // namespace fieldsync::sim
