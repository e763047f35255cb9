#include "seal/key_slots.h"

#include <sodium.h>

#include <algorithm>
#include <bit>
#include <new>

#include "seal/little_endian.h"

namespace fieldsync::seal {
namespace {

constexpr char slot_format = 1;
constexpr char with_passphrase = 1;
constexpr char with_hardware = 2;
constexpr std::size_t kind_at = 1;
constexpr std::size_t passes_at = 2;
constexpr std::size_t memory_at = 6;
constexpr std::size_t salt_at = 14;
constexpr std::size_t salt_bytes = crypto_pwhash_argon2id_SALTBYTES;
constexpr std::size_t nonce_at = salt_at + salt_bytes;
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t sealed_at = nonce_at + nonce_bytes;
constexpr std::size_t sealed_bytes = data_key_bytes + crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t commitment_at = sealed_at + sealed_bytes;
constexpr std::size_t commitment_bytes = 32;
constexpr std::size_t slot_bytes = commitment_at + commitment_bytes;
constexpr std::size_t wrapping_key_bytes = 32;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

bool has(std::string_view slot, char part) { return (slot[kind_at] & part) != 0; }

KeyCost cost_of(std::string_view slot) {
  return {static_cast<std::uint32_t>(read_little_endian(slot, passes_at, 4)), read_little_endian(slot, memory_at, 8)};
}

bool is_between_bounds(const KeyCost& cost) {
  return cost.passes >= cost_min.passes && cost.passes <= cost_max.passes &&
         cost.memory_bytes >= cost_min.memory_bytes && cost.memory_bytes <= cost_max.memory_bytes;
}

Secret keyed_hash(const Secret& key, std::string_view domain, std::string_view first, std::string_view second = {}) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, key.data(), key.size(), 32);
  for (const std::string_view part : {domain, first, second})
    crypto_generichash_update(&state, bytes_of(part), part.size());
  Secret hash(32);
  crypto_generichash_final(&state, hash.data(), hash.size());
  sodium_memzero(&state, sizeof state);
  return hash;
}

Secret stretch(std::string_view passphrase, std::string_view salt, const KeyCost& cost) {
  Secret key(wrapping_key_bytes);
  const int failed =
      crypto_pwhash(key.data(), key.size(), passphrase.data(), passphrase.size(), bytes_of(salt), cost.passes,
                    static_cast<std::size_t>(cost.memory_bytes), crypto_pwhash_ALG_ARGON2ID13);
  // Its bounds were checked: what is left is memory.
  if (failed != 0) throw std::bad_alloc();
  return key;
}

// Pre: the credentials have what the slot asks for.
Result<Secret> wrapping_key(std::string_view slot, const Credentials& credentials) {
  const std::string_view salt = slot.substr(salt_at, salt_bytes);
  Secret hardware(hardware_key_bytes);
  if (has(slot, with_hardware)) {
    auto answer = credentials.hardware(salt);
    if (!answer) return answer.error();
    if (answer->size() != hardware_key_bytes)
      return Error{Errc::invalid_argument, "The hardware key must have 32 bytes."};
    hardware = std::move(*answer);
  }
  Secret passphrase(wrapping_key_bytes);
  if (has(slot, with_passphrase)) passphrase = stretch(credentials.passphrase, salt, cost_of(slot));
  return keyed_hash(hardware, "fieldsync-kek1", passphrase.view(), salt);
}

Secret commitment_of(const Secret& key, std::string_view slot) {
  return keyed_hash(key, "fieldsync-commit1", slot.substr(nonce_at, nonce_bytes));
}

bool can_open(std::string_view slot, const Credentials& credentials) {
  return (!has(slot, with_passphrase) || !credentials.passphrase.empty()) &&
         (!has(slot, with_hardware) || credentials.hardware != nullptr);
}

std::string associated_data(const StoreId& store, std::string_view slot) {
  std::string data(store.view());
  data += slot.substr(0, nonce_at);
  return data;
}

core::Milliseconds time_of(const KeyCost& cost, const std::function<core::Milliseconds()>& steady_clock) {
  const core::Milliseconds begin = steady_clock();
  const std::string salt(salt_bytes, '\0');
  static_cast<void>(stretch("calibration", salt, cost));
  return {std::max<std::int64_t>(steady_clock().count - begin.count, 1)};
}

}  // namespace

KeyCost calibrated_cost(const std::function<core::Milliseconds()>& steady_clock, core::Milliseconds aim) {
  KeyCost cost = cost_min;
  std::int64_t took = time_of(cost, steady_clock).count;
  const std::uint64_t factor = static_cast<std::uint64_t>(std::max<std::int64_t>(aim.count / took, 1));
  cost.memory_bytes = std::min(cost.memory_bytes * std::bit_floor(factor), cost_max.memory_bytes);
  if (cost.memory_bytes != cost_min.memory_bytes) took = time_of(cost, steady_clock).count;
  const std::int64_t passes = cost.passes * aim.count / took;
  cost.passes = static_cast<std::uint32_t>(std::clamp<std::int64_t>(passes, cost_min.passes, cost_max.passes));
  return cost;
}

Result<void> KeySlots::take(std::size_t number, std::string_view bytes) {
  const bool is_slot = number < slots_max && bytes.size() == slot_bytes && bytes[0] == slot_format &&
                       bytes[kind_at] >= with_passphrase && bytes[kind_at] <= (with_passphrase | with_hardware);
  if (!is_slot) return Error{Errc::storage_corrupt, "A key slot of the store is damaged."};
  const bool cost_fits = has(bytes, with_passphrase) ? is_between_bounds(cost_of(bytes)) : cost_of(bytes) == KeyCost{};
  if (!cost_fits) {
    return Error{Errc::storage_corrupt,
                 "A key slot of the store asks for more or less work than any slot that this app writes."};
  }
  slots_.insert_or_assign(number, std::string(bytes));
  return {};
}

bool KeySlots::has_passphrase() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const auto& slot) { return has(slot.second, with_passphrase); });
}

Result<std::size_t> KeySlots::add(const Secret& data_key, const Credentials& credentials, const KeyCost& cost) {
  const bool passphrase = !credentials.passphrase.empty();
  if (!passphrase && !credentials.hardware)
    return Error{Errc::invalid_argument, "A slot needs a passphrase or a hardware key."};
  if (credentials.passphrase.size() > passphrase_bytes_max)
    return Error{Errc::invalid_argument, "The passphrase is longer than 1,024 bytes."};
  if (passphrase && !is_between_bounds(cost))
    return Error{Errc::invalid_argument, "The passphrase's cost must be from 64 MiB and 3 passes to 256 MiB and 64."};
  std::size_t number = 0;
  while (slots_.contains(number)) ++number;
  if (number == slots_max) return Error{Errc::too_many_slots, {}};

  std::string slot(slot_bytes, '\0');
  slot[0] = slot_format;
  slot[kind_at] =
      static_cast<char>((passphrase ? with_passphrase : 0) | (credentials.hardware != nullptr ? with_hardware : 0));
  std::string numbers;
  append_little_endian(numbers, passphrase ? cost.passes : 0);
  numbers.resize(4);
  append_little_endian(numbers, passphrase ? cost.memory_bytes : 0);
  slot.replace(passes_at, numbers.size(), numbers);
  auto* bytes = reinterpret_cast<unsigned char*>(slot.data());
  randombytes_buf(bytes + salt_at, salt_bytes + nonce_bytes);
  const auto key = wrapping_key(slot, credentials);
  if (!key) return key.error();
  const std::string data = associated_data(store_, slot);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + sealed_at, nullptr, data_key.data(), data_key.size(),
                                             bytes_of(data), data.size(), nullptr, bytes + nonce_at, key->data());
  slot.replace(commitment_at, commitment_bytes, commitment_of(*key, slot).view());
  slots_.emplace(number, std::move(slot));
  return number;
}

Result<KeySlots::Opened> KeySlots::open(const Credentials& credentials) const {
  if (credentials.passphrase.size() > passphrase_bytes_max) return Error{Errc::wrong_passphrase, {}};
  Error refusal{Errc::wrong_passphrase, {}};
  for (const auto& [number, slot] : slots_) {
    if (!can_open(slot, credentials)) continue;
    const auto key = wrapping_key(slot, credentials);
    if (!key) refusal = key.error();
    if (!key) continue;
    const std::string_view commitment = std::string_view(slot).substr(commitment_at);
    if (sodium_memcmp(commitment_of(*key, slot).data(), commitment.data(), commitment_bytes) != 0) continue;
    Secret data_key(data_key_bytes);
    const std::string data = associated_data(store_, slot);
    const bool authentic = crypto_aead_xchacha20poly1305_ietf_decrypt(
                               data_key.data(), nullptr, nullptr, bytes_of(slot) + sealed_at, sealed_bytes,
                               bytes_of(data), data.size(), bytes_of(slot) + nonce_at, key->data()) == 0;
    if (!authentic) return Error{Errc::storage_corrupt, "A key slot of the store was altered."};
    return Opened{number, std::move(data_key)};
  }
  return refusal;
}

Result<void> KeySlots::remove_all_of(const Credentials& credentials) {
  auto opened = open(credentials);
  if (!opened) return opened.error();
  // Two slots may have been made with the same, or one with a part of it.
  for (; opened; opened = open(credentials)) slots_.erase(opened->slot);
  return opened.error().code == Errc::wrong_passphrase ? Result<void>() : opened.error();
}

}  // namespace fieldsync::seal
