// log_key.h: the key that signs the audit log's checkpoints, in log.key beside the database.
#pragma once

#include "app/configuration.h"
#include "codec/batch.h"
#include "core/result.h"
#include "store/store.h"

namespace fieldsync::server {

// Made where there is none and no device can trust another. not_found: the key is missing, and the log was signed with
// it, or devices are enrolled. These may have been shown a log that this copy of the database does not know of.
[[nodiscard]] Result<codec::SigningKey> open_log_key(const Configuration& configuration, Store& store);

// The same where somebody has said that this server never had a key: an older version made the folder. Still not_found
// where the log was signed with the key that is missing.
[[nodiscard]] Result<codec::SigningKey> make_log_key(const Configuration& configuration, Store& store);

}  // namespace fieldsync::server
