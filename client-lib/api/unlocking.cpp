#include "api/unlocking.h"

#include <sodium.h>
#include <utf8proc.h>

#include <memory>

#include "core/text.h"

namespace fieldsync::api {
namespace {

// In NFC (UAX #15): keyboards write the same letters in different ways.
Result<seal::Secret> composed(const std::string& passphrase) {
  if (passphrase.empty()) return seal::Secret(0);
  if (!core::count_characters(passphrase))
    return Error{Errc::invalid_argument, "The passphrase is not valid UTF-8 or holds control characters."};
  utf8proc_uint8_t* made = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(passphrase.data()),
                                 static_cast<utf8proc_ssize_t>(passphrase.size()), &made,
                                 static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size < 0) throw std::bad_alloc();
  const auto bytes = static_cast<std::size_t>(size);
  seal::Secret secret = seal::Secret::copy_of({reinterpret_cast<const char*>(made), bytes});
  sodium_memzero(made, bytes);
  free(made);
  return secret;
}

seal::HardwareKey into_secret(const HardwareKey& hardware_key) {
  if (!hardware_key) return {};
  return [&hardware_key](std::string_view challenge) -> Result<seal::Secret> {
    auto answer = hardware_key(challenge);
    if (!answer) return answer.error();
    seal::Secret secret = seal::Secret::copy_of(*answer);
    sodium_memzero(answer->data(), answer->size());
    return secret;
  };
}

}  // namespace

Result<void> change_credentials(LocalStore& store, const Credentials& known, storage::Vault::Known fate,
                                const Credentials* added) {
  const auto known_passphrase = composed(known.passphrase);
  if (!known_passphrase) return known_passphrase.error();
  const auto added_passphrase = composed(added == nullptr ? std::string() : added->passphrase);
  if (!added_passphrase) return added_passphrase.error();
  const std::lock_guard lock(store.mutex);
  if (!store.vault.is_open()) return Error{Errc::locked, {}};
  const seal::Credentials before{known_passphrase->view(), into_secret(known.hardware_key)};
  if (added == nullptr) return store.vault.change_slots(before, fate, nullptr, {});
  const seal::Credentials after{added_passphrase->view(), into_secret(added->hardware_key)};
  return store.vault.change_slots(before, fate, &after, cost_of(store, after));
}

Result<void> unlock_with(LocalStore& store, const Credentials& credentials) {
  const auto passphrase = composed(credentials.passphrase);
  if (!passphrase) return passphrase.error();
  return unlock(store, {passphrase->view(), into_secret(credentials.hardware_key)});
}

}  // namespace fieldsync::api
