#include "api/unlocking.h"

#include <sodium.h>
#include <utf8proc.h>

#include <optional>

#include "core/text.h"

namespace fieldsync::api {
namespace {

// In NFC (UAX #15): keyboards write the same letters in different ways.
Result<seal::Secret> composed(const std::string& passphrase) {
  if (passphrase.empty()) return seal::Secret(0);
  if (passphrase.size() > seal::passphrase_bytes_max)
    return Error{Errc::invalid_argument, "The passphrase is longer than 1,024 bytes."};
  if (!core::count_characters(passphrase))
    return Error{Errc::invalid_argument, "The passphrase is not valid UTF-8 or holds control characters."};
  constexpr auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  const auto* text = reinterpret_cast<const utf8proc_uint8_t*>(passphrase.data());
  const auto size = static_cast<utf8proc_ssize_t>(passphrase.size());
  // All of its work is done in memory that is wiped. One letter more: it ends the text with a zero.
  const auto letters = utf8proc_decompose(text, size, nullptr, 0, options);
  if (letters < 0) return Error{Errc::invalid_argument, "The passphrase cannot be read."};
  seal::Secret work((static_cast<std::size_t>(letters) + 1) * sizeof(utf8proc_int32_t));
  auto* buffer = reinterpret_cast<utf8proc_int32_t*>(work.data());
  utf8proc_decompose(text, size, buffer, letters, options);
  const auto bytes = utf8proc_reencode(buffer, letters, options);
  if (bytes < 0) return Error{Errc::invalid_argument, "The passphrase cannot be read."};
  return seal::Secret::copy_of(work.view().substr(0, static_cast<std::size_t>(bytes)));
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

Result<seal::KeySlots> unlocked_slots(LocalStore& store) {
  return in_unlocked_store(store, [&] { return store.vault.slots(); });
}

// Takes its time, and asks the hardware: without the store's lock.
Result<seal::KeySlots> changed_slots(const LocalStore& store, seal::KeySlots slots, const seal::Credentials& known,
                                     Known fate, const std::optional<seal::Credentials>& added) {
  const auto opened = slots.open(known);
  if (!opened) return opened.error();
  if (fate == Known::goes) {
    if (auto removed = slots.remove_all_of(known); !removed) return removed.error();
  }
  // What opens the store already is not to be added again: it could not be taken away.
  if (added && !slots.open(*added)) {
    if (auto done = slots.add(opened->data_key, *added, cost_of(store, *added)); !done) return done.error();
  }
  if (slots.stored().empty()) return Error{Errc::invalid_argument, "Nothing would be left that opens the store."};
  return slots;
}

}  // namespace

Result<void> change_credentials(LocalStore& store, const Credentials& known, Known fate, const Credentials* added) {
  const auto known_passphrase = composed(known.passphrase);
  if (!known_passphrase) return known_passphrase.error();
  const auto added_passphrase = composed(added == nullptr ? std::string() : added->passphrase);
  if (!added_passphrase) return added_passphrase.error();
  const seal::Credentials before{known_passphrase->view(), into_secret(known.hardware_key)};
  std::optional<seal::Credentials> after;
  if (added != nullptr) after.emplace(seal::Credentials{added_passphrase->view(), into_secret(added->hardware_key)});
  const auto slots = unlocked_slots(store);
  if (!slots) return slots.error();
  const auto changed = changed_slots(store, *slots, before, fate, after);
  if (!changed) return changed.error();
  return in_unlocked_store(store, [&]() -> Result<void> {
    if (store.vault.change_slots(*slots, *changed)) return {};
    return Error{Errc::in_use, "What opens the store was changed meanwhile. Try again."};
  });
}

Result<void> unlock_with(LocalStore& store, const Credentials& credentials) {
  const auto passphrase = composed(credentials.passphrase);
  if (!passphrase) return passphrase.error();
  return unlock(store, {passphrase->view(), into_secret(credentials.hardware_key)});
}

}  // namespace fieldsync::api
