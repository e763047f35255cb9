// sealing.h: what a store holds in the open, from a time before stores were sealed, is
// sealed when the store gets its key, in the same transaction.
#pragma once

#include "storage/directory.h"
#include "storage/outbox.h"
#include "storage/record_store.h"

namespace fieldsync::storage {

// Calls throw SqliteError. Pre: the vault is open, in a transaction.
class Sealing {
 public:
  Sealing(sqlite::Connection& connection, const Vault& vault, Directory& directory, RecordStore& records,
          Outbox& outbox)
      : connection_(connection), vault_(vault), directory_(directory), records_(records), outbox_(outbox) {}

  void seal_what_is_open();

 private:
  void seal_settings();
  void seal_directory();
  void seal_records();
  void seal_operations();
  void seal_batches();

  sqlite::Connection& connection_;
  const Vault& vault_;
  Directory& directory_;
  RecordStore& records_;
  Outbox& outbox_;
};

}  // namespace fieldsync::storage
