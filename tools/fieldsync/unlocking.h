// unlocking.h: what opens a store, from files or from the person at the terminal.
#pragma once

#include "core/result.h"
#include "fieldsync/database.h"
#include "fieldsync/settings.h"

namespace fieldsync::cli {

// From the settings' files, else from the person at the terminal, who is asked twice for a new
// one. A key file that is not there is made for a fresh store.
[[nodiscard]] Result<Credentials> credentials_for(const Settings& settings, LockState state);
// A passphrase that is to be the store's, asked for twice.
[[nodiscard]] Result<Credentials> new_passphrase();
// What a key file answers.
[[nodiscard]] Result<HardwareKey> key_from(const std::string& file);
[[nodiscard]] HardwareKey key_of(const std::string& key);

// Unlocks the store with the settings' files; without any, with the key of `fieldsync unlock`
// (session_key.h); without that, asks. locked: there is nobody to ask. Errors as Database::unlock, and storage_failed
// or not_found for a file that cannot be read.
[[nodiscard]] Result<void> unlock_store(const Settings& settings, Database& database);

}  // namespace fieldsync::cli
