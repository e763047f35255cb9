#include "api/local_store.h"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "storage/schema.h"
#include "storage/sealing.h"

namespace fieldsync::api {
namespace {

// A store gets its own key and its device's in one transaction: work begins before enrolment.
Result<void> create_vault(LocalStore& store, const storage::NewKey& key) {
  const tls::KeyPair pair = store.environment.make_key();
  const auto device = device_of(pair.certificate_pem);
  if (!device) return device.error();
  storage::Sealing sealing(*store.connection, store.vault, store.directory, store.records, store.outbox);
  store.vault.create(key, [&] {
    sealing.seal_what_is_open();
    if (store.identity.private_key_pem().empty())
      store.identity.set_key(pair.private_key_pem, pair.certificate_pem, *device);
  });
  return {};
}

// What opens the store, or is to. Takes its time, and asks the hardware: without the lock.
struct Opening {
  std::optional<storage::NewKey> made;
  std::optional<seal::Secret> data_key;
};
Result<Opening> work_out_key(LocalStore& store, const seal::Credentials& credentials) {
  std::optional<seal::KeySlots> slots;
  {
    const std::lock_guard lock(store.mutex);
    if (store.vault.is_destroyed()) return Error{Errc::wiped, {}};
    if (!store.vault.is_new()) {
      auto known = store.vault.slots();
      if (!known) return known.error();
      slots = std::move(*known);
    }
  }
  Opening opening;
  if (!slots) {
    auto made = storage::make_key(credentials, cost_of(store, credentials));
    if (!made) return made.error();
    opening.made = std::move(*made);
  } else {
    auto opened = slots->open(credentials);
    if (!opened) return opened.error();
    opening.data_key = std::move(opened->data_key);
  }
  return opening;
}

// Pre: the lock is held.
Result<void> open_with(LocalStore& store, const Opening& opening) {
  if (store.vault.is_destroyed()) return Error{Errc::wiped, {}};
  if (!store.vault.is_open()) {
    if (store.vault.is_new() != opening.made.has_value())
      return Error{Errc::in_use, "The store was unlocked for the first time just now. Try again."};
    if (opening.data_key) store.vault.open(*opening.data_key);
    if (opening.made) {
      if (auto created = create_vault(store, *opening.made); !created) return created;
    }
  }
  storage::Transaction transaction(store.vault);
  store.attachments.drop_unfinished();
  transaction.commit();
  store.known_identity = read_identity(store);
  return {};
}

// What ends a wipe: there is nothing, or it is not the store's fault. Whatever else keeps it from
// destroying the slots, all of it is overwritten.
bool changes_nothing(Errc code) {
  return code == Errc::not_found || code == Errc::in_use || code == Errc::out_of_memory;
}

void forget_all(LocalStore& store) {
  store.identity.read_device_again();
  store.directory.forget_forms();
  store.index.forget();
  store.records.forget();
  store.outbox.forget();
  store.known_identity = {};
  // The last: it writes.
  store.vault.close();
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
    auto store = std::make_unique<LocalStore>(file, std::move(*connection), std::move(environment));
    if (!store->vault.is_destroyed()) return store;
    store.reset();
    if (auto done = wipe(file); !done) return done.error();
    return Error{Errc::wiped, {}};
  });
}

Result<void> wipe(const std::string& file) {
  bool is_destroyed = false;
  const auto opened = sqlite::guard([&]() -> Result<void> {
    auto connection = storage::open_store(file, false);
    if (!connection) return connection.error();
    storage::Vault vault(**connection);
    // What was never sealed can be read without any slot.
    const bool was_sealed = !vault.is_new();
    vault.destroy();
    is_destroyed = was_sealed;
    return {};
  });
  if (!opened && changes_nothing(opened.error().code)) return opened;
  return sqlite::guard([&]() -> Result<void> {
    // A full disk, or a damaged file, has no room for a transaction.
    if (!is_destroyed) sqlite::overwrite_database(file);
    sqlite::delete_database(file);
    return {};
  });
}

seal::KeyCost cost_of(const LocalStore& store, const seal::Credentials& credentials) {
  return credentials.passphrase.empty() ? seal::KeyCost{} : seal::calibrated_cost(store.environment.steady_clock);
}

Result<void> unlock(LocalStore& store, const seal::Credentials& credentials) {
  return sqlite::guard([&]() -> Result<void> {
    const auto opening = work_out_key(store, credentials);
    if (!opening) return opening.error();
    const std::lock_guard locked(store.mutex);
    const bool was_open = store.vault.is_open();
    auto opened = sqlite::guard([&] { return open_with(store, *opening); });
    if (!opened && !was_open) forget_all(store);
    return opened;
  });
}

void lock(LocalStore& store) {
  const std::lock_guard locked(store.mutex);
  forget_all(store);
}

void destroy(LocalStore& store) {
  try {
    store.vault.destroy();
  } catch (...) {
    if (!store.vault.is_open()) forget_all(store);
    throw;
  }
  forget_all(store);
}

}  // namespace fieldsync::api
