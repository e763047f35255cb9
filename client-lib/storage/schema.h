// schema.h: the tables of a device's store.
#pragma once

#include <memory>
#include <string>

#include "core/result.h"
#include "sqlite/connection.h"

namespace fieldsync::storage {

// Opens the store for this process alone, creates or migrates its tables.
// in_use: another process has it. not_found: `create` is false and there is none.
// storage_corrupt, storage_too_new: the file stays as it is.
[[nodiscard]] Result<std::unique_ptr<sqlite::Connection>> open_store(const std::string& path, bool create);

// BLAKE2b-256, in hexadecimal digits, of the text of all tables and indexes, and of every view
// and trigger, but for what waits to be sealed. Throws SqliteError.
[[nodiscard]] std::string schema_hash(sqlite::Connection& connection);

}  // namespace fieldsync::storage
