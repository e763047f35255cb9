// log_key.h: the key that signs the audit log's checkpoints, in log.key beside the database.
#pragma once

#include "app/configuration.h"
#include "codec/batch.h"
#include "core/result.h"
#include "store/store.h"

namespace fieldsync::server {

// Made where there is none and the log is empty: in a new folder, or in one of an older version. not_found: the log
// is not empty, and devices trust no other key than the one that signed it.
[[nodiscard]] Result<codec::SigningKey> open_log_key(const Configuration& configuration, Store& store);

}  // namespace fieldsync::server
