// session_key.h: what keeps a store open between commands, from `fieldsync unlock` to `fieldsync
// lock`: a key in a file of the memory file system that ends with the person's session
// ($XDG_RUNTIME_DIR), and a slot of the store that it opens. After its time the next command
// takes both away; when the machine is off, the slot opens for nobody.
#pragma once

#include <chrono>

#include "core/result.h"
#include "fieldsync/database.h"
#include "fieldsync/settings.h"

namespace fieldsync::cli {

// False where there is no such key, or its time is over.
[[nodiscard]] bool unlock_with_session_key(const Settings& settings, Database& database);

// Pre: the store is unlocked, and `known` opens it. storage_failed: there is no such file system.
[[nodiscard]] Result<void> keep_unlocked(const Settings& settings, Database& database, const Credentials& known,
                                         std::chrono::minutes span);
// not_found: no key was kept.
[[nodiscard]] Result<void> forget_session_key(const Settings& settings, Database& database);

}  // namespace fieldsync::cli
