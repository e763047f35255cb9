// local_store.h: the device's store as one whole, under one lock.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/clean_stack.h"
#include "api/environment.h"
#include "api/idle_timer.h"
#include "api/record_index.h"
#include "core/edit.h"
#include "fieldsync/database.h"
#include "sqlite/connection.h"
#include "storage/directory.h"
#include "storage/fork.h"
#include "storage/identity.h"
#include "storage/outbox.h"
#include "storage/record_store.h"
#include "storage/replica.h"
#include "storage/vault.h"

namespace fieldsync::api {

struct LocalStore {
  LocalStore(std::string path, std::unique_ptr<sqlite::Connection> opened, Environment around)
      : file(std::move(path)), environment(std::move(around)), connection(std::move(opened)) {}

  [[nodiscard]] core::Writer writer() { return {identity.device(), identity.person()}; }

  const std::string file;
  const Environment environment;
  // As last read: an app can show who it belongs to when the disk fails.
  Identity known_identity;
  // Every use of the members below holds this.
  std::mutex mutex;
  std::unique_ptr<sqlite::Connection> connection;
  storage::Vault vault{*connection};
  storage::Identity identity{*connection, vault};
  storage::Directory directory{*connection, vault};
  storage::RecordStore records{*connection, vault};
  storage::Outbox outbox{*connection, vault};
  storage::Attachments attachments{*connection, vault};
  storage::Replica replica{identity, directory, records, outbox, attachments};
  storage::Fork fork{identity, directory, records, outbox, replica};
  RecordIndex index;
  // Locks the store when nobody used it for some time; nothing where that is not wanted.
  std::optional<IdleTimer> idle_timer;

  // Somebody is there.
  void touch() {
    if (idle_timer) idle_timer->touch();
  }
};

// Pre: the store's lock is held. Throws SqliteError.
[[nodiscard]] Identity read_identity(LocalStore& store);

// The id of the device that has this certificate.
[[nodiscard]] Result<core::DeviceId> device_of(const std::string& certificate_pem);

// Opens the database file, locked. Touches the file system through SQLite alone. Errors as
// Database::open.
[[nodiscard]] Result<std::unique_ptr<LocalStore>> open_local_store(const std::string& file, bool create,
                                                                   Environment environment);

// Unlocks the store, and gives a new one its data key and its device's key: work begins
// before enrolment. The lock is taken. Errors as Database::unlock.
[[nodiscard]] Result<void> unlock(LocalStore& store, const seal::Credentials& credentials);
// What a slot with these credentials should cost: as much as this device does in a second.
[[nodiscard]] seal::KeyCost cost_of(const LocalStore& store, const seal::Credentials& credentials);
// Forgets the keys, and what was read with them.
void lock(LocalStore& store);
// Destroys the slots, and forgets the keys: nobody opens it any more. The next wipe() or open() deletes the files.
// Pre: the lock is held. Throws SqliteError; then it is as it was, or its slots are destroyed already.
void destroy(LocalStore& store);
// Errors as Database::wipe.
[[nodiscard]] Result<void> wipe(const std::string& file);

// How the app's calls come in: with the store's lock held, unless the store is locked.
template <typename Body>
auto in_unlocked_store(LocalStore& store, Body body) -> decltype(body()) {
  store.touch();
  return sqlite::guard([&]() -> decltype(body()) {
    const std::lock_guard lock(store.mutex);
    store.vault.check_open();
    return on_clean_stack(body);
  });
}

}  // namespace fieldsync::api
