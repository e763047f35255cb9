// history_status.h: what Status tells of the office's history.
#pragma once

#include "fieldsync/sync.h"
#include "storage/identity.h"

namespace fieldsync::api {

// Throws SqliteError.
[[nodiscard]] HistoryStatus history_status(storage::Identity& identity);

}  // namespace fieldsync::api
