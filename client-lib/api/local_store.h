// local_store.h: the device's store as one whole, under one lock.
#pragma once

#include <memory>
#include <mutex>

#include "core/edit.h"
#include "sqlite/connection.h"
#include "storage/directory.h"
#include "storage/identity.h"
#include "storage/outbox.h"
#include "storage/record_store.h"
#include "storage/replica.h"

namespace fieldsync::api {

struct LocalStore {
  explicit LocalStore(std::unique_ptr<sqlite::Connection> opened) : connection(std::move(opened)) {}

  [[nodiscard]] core::Writer writer() { return {identity.device(), identity.person()}; }

  // Every use of the members below holds this.
  std::mutex mutex;
  std::unique_ptr<sqlite::Connection> connection;
  storage::Identity identity{*connection};
  storage::Directory directory{*connection};
  storage::RecordStore records{*connection};
  storage::Outbox outbox{*connection};
  storage::Replica replica{identity, directory, records, outbox};
};

// Milliseconds since 1970 of this device's clock: a claim, nothing more.
[[nodiscard]] core::Instant device_time();

}  // namespace fieldsync::api
