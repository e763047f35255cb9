#include "api/local_store.h"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "storage/schema.h"

namespace fieldsync::api {
namespace {

Result<void> make_key_if_new(LocalStore& store) {
  return sqlite::guard([&]() -> Result<void> {
    if (!store.identity.private_key_pem().empty()) return {};
    const tls::KeyPair key = store.environment.make_key();
    auto device = device_of(key.certificate_pem);
    if (!device) return device.error();
    sqlite::Transaction transaction(*store.connection);
    store.identity.set_key(key.private_key_pem, key.certificate_pem, *device);
    transaction.commit();
    return {};
  });
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
    if (auto made = make_key_if_new(*store); !made) return made.error();
    store->known_identity = read_identity(*store);
    return store;
  });
}

}  // namespace fieldsync::api
