// test_unlocking.h: what opens the stores of tests: a hardware key, which costs no time.
#pragma once

#include <sodium.h>

#include <string>

#include "seal/key_slots.h"
#include "storage/sealing.h"

namespace fieldsync::testing {

// The same key on every test's device.
[[nodiscard]] inline seal::Credentials test_credentials() {
  return {{}, [](std::string_view challenge) -> Result<seal::Secret> {
            seal::Secret key(seal::hardware_key_bytes);
            crypto_generichash(key.data(), key.size(), reinterpret_cast<const unsigned char*>(challenge.data()),
                               challenge.size(), nullptr, 0);
            return key;
          }};
}

// Opens the vault of a store that a test opened itself, and makes a new one's.
[[nodiscard]] inline Result<void> open_vault(sqlite::Connection& connection, storage::Vault& vault) {
  return sqlite::guard([&]() -> Result<void> {
    if (!vault.is_new()) return vault.open(test_credentials());
    storage::Directory directory(connection, vault);
    storage::RecordStore records(connection, vault);
    storage::Outbox outbox(connection, vault);
    storage::Sealing sealing(connection, vault, directory, records, outbox);
    return vault.create(test_credentials(), {}, [&] { sealing.seal_what_is_open(); });
  });
}

}  // namespace fieldsync::testing
