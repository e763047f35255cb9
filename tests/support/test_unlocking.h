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
    if (sodium_init() < 0) return Error{Errc::internal_error, {}};
    if (!vault.is_new()) {
      const auto slots = vault.slots();
      if (!slots) return slots.error();
      const auto opened = slots->open(test_credentials());
      if (!opened) return opened.error();
      vault.open(opened->data_key);
      return {};
    }
    storage::Directory directory(connection, vault);
    storage::RecordStore records(connection, vault);
    storage::Outbox outbox(connection, vault);
    storage::Sealing sealing(connection, vault, directory, records, outbox);
    const auto key = storage::make_key(test_credentials(), {});
    if (!key) return key.error();
    vault.create(*key, [&] { sealing.seal_what_is_open(); });
    return {};
  });
}

}  // namespace fieldsync::testing
