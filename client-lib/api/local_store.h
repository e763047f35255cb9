// local_store.h: the device's store as one whole, under one lock.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "api/environment.h"
#include "core/edit.h"
#include "fieldsync/database.h"
#include "sqlite/connection.h"
#include "storage/directory.h"
#include "storage/fork.h"
#include "storage/identity.h"
#include "storage/outbox.h"
#include "storage/record_store.h"
#include "storage/replica.h"

namespace fieldsync::api {

struct LocalStore {
  LocalStore(std::unique_ptr<sqlite::Connection> opened, Environment around)
      : environment(std::move(around)), connection(std::move(opened)) {}

  [[nodiscard]] core::Writer writer() { return {identity.device(), identity.person()}; }

  const Environment environment;
  // As last read: an app can show who it belongs to when the disk fails.
  Identity known_identity;
  // Every use of the members below holds this.
  std::mutex mutex;
  std::unique_ptr<sqlite::Connection> connection;
  storage::Identity identity{*connection};
  storage::Directory directory{*connection};
  storage::RecordStore records{*connection};
  storage::Outbox outbox{*connection};
  storage::Replica replica{identity, directory, records, outbox};
  storage::Fork fork{identity, directory, records, outbox, replica};
};

// Pre: the store's lock is held. Throws SqliteError.
[[nodiscard]] Identity read_identity(LocalStore& store);

// The id of the device that has this certificate.
[[nodiscard]] Result<core::DeviceId> device_of(const std::string& certificate_pem);

// Opens the database file, and gives a new one its device's key: work begins
// before enrolment. Touches the file system through SQLite alone. Errors as
// Database::open.
[[nodiscard]] Result<std::unique_ptr<LocalStore>> open_local_store(const std::string& file, bool create,
                                                                   Environment environment);

}  // namespace fieldsync::api
