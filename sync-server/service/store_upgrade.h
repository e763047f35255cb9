// store_upgrade.h: what the store's own migrations leave to be done, because it takes reading forms
// and operations.
#pragma once

#include "core/result.h"
#include "store/store.h"

namespace fieldsync::server {

// Enters what the operations of an older database name, and which of its forms are reference data.
// Does nothing where it has been done. storage_corrupt: a batch cannot be read.
[[nodiscard]] Result<void> upgrade_store(Store& store);

}  // namespace fieldsync::server
