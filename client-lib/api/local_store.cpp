#include "api/local_store.h"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "storage/schema.h"
#include "storage/sealing.h"

namespace fieldsync::api {
namespace {

Result<void> make_key_if_new(LocalStore& store) {
  return sqlite::guard([&]() -> Result<void> {
    if (!store.identity.private_key_pem().empty()) return {};
    const tls::KeyPair key = store.environment.make_key();
    auto device = device_of(key.certificate_pem);
    if (!device) return device.error();
    storage::Transaction transaction(store.vault);
    store.identity.set_key(key.private_key_pem, key.certificate_pem, *device);
    transaction.commit();
    return {};
  });
}

Result<void> create_vault(LocalStore& store, const seal::Credentials& credentials) {
  storage::Sealing sealing(*store.connection, store.vault, store.directory, store.records, store.outbox);
  auto created = store.vault.create(credentials, cost_of(store, credentials), [&] { sealing.seal_what_is_open(); });
  // What stood open is not to be read in the log either.
  if (created) store.connection->execute("PRAGMA wal_checkpoint(TRUNCATE)");
  return created;
}

}  // namespace

Result<core::DeviceId> device_of(const std::string& certificate_pem) {
  auto raw = tls::device_public_key(certificate_pem);
  if (!raw) return raw.error();
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(raw->data()), raw->size());
  core::DeviceId device;
  std::copy_n(hash.begin(), device.bytes.size(), device.bytes.begin());
  return device;
}

Identity read_identity(LocalStore& store) {
  Identity identity;
  identity.device = store.identity.device();
  identity.person = store.identity.person();
  identity.enrolled = !identity.person.is_none();
  identity.person_name = store.identity.person_name();
  identity.server = store.identity.server();
  return identity;
}

Result<std::unique_ptr<LocalStore>> open_local_store(const std::string& file, bool create, Environment environment) {
  if (sodium_init() < 0) return Error{Errc::internal_error, "The random number generator could not be started."};
  return sqlite::guard([&]() -> Result<std::unique_ptr<LocalStore>> {
    auto connection = storage::open_store(file, create);
    if (!connection) return connection.error();
    auto store = std::make_unique<LocalStore>(std::move(*connection), std::move(environment));
    if (!store->vault.is_destroyed()) return store;
    store.reset();
    sqlite::delete_database(file);
    return Error{Errc::wiped, {}};
  });
}

Result<void> wipe(const std::string& file) {
  return sqlite::guard([&]() -> Result<void> {
    {
      auto connection = storage::open_store(file, false);
      if (connection) {
        storage::Vault(**connection).destroy();
      } else if (connection.error().code != Errc::storage_corrupt && connection.error().code != Errc::storage_too_new) {
        return connection.error();
      }
    }
    sqlite::delete_database(file);
    return {};
  });
}

seal::KeyCost cost_of(const LocalStore& store, const seal::Credentials& credentials) {
  return credentials.passphrase.empty() ? seal::KeyCost{} : seal::calibrated_cost(store.environment.steady_clock);
}

Result<void> unlock(LocalStore& store, const seal::Credentials& credentials) {
  return sqlite::guard([&]() -> Result<void> {
    const std::lock_guard locked(store.mutex);
    if (store.vault.is_open()) return {};
    if (store.vault.is_new()) {
      if (auto created = create_vault(store, credentials); !created) return created;
    } else if (auto opened = store.vault.open(credentials); !opened) {
      return opened;
    }
    if (auto made = make_key_if_new(store); !made) return made;
    store.known_identity = read_identity(store);
    return {};
  });
}

void lock(LocalStore& store) {
  const std::lock_guard locked(store.mutex);
  store.vault.close();
  store.identity.read_device_again();
  store.directory.forget_forms();
  store.index.forget();
  store.records.forget();
  store.outbox.forget();
  store.known_identity = {};
}

}  // namespace fieldsync::api
