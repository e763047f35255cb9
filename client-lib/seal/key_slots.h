// key_slots.h: the ways to open a store. Each slot holds the store's one data key,
// wrapped under a passphrase, a key of the device's own hardware, or both. Changing a
// passphrase rewrites a slot and no data: who has an old copy of the store and the old
// passphrase still opens that copy.
//
//   slot = format (1) | kind (1) | passes (4) | memory (8) | salt (16) | nonce (24)
//          | sealed data key (48) | commitment (32)                   134 bytes
//   passphrase key  = Argon2id(passphrase, salt; passes, memory, one lane)   RFC 9106
//   wrapping key    = BLAKE2b-256(key = hardware key or zeros,
//                                 "fieldsync-kek1" | passphrase key or zeros | salt)
//   sealed data key = XChaCha20-Poly1305, associated data = store | slot up to the salt
//   commitment      = BLAKE2b-256(key = wrapping key, "fieldsync-commit1" | nonce): which
//                     key a slot belongs to is decided before anything is opened with it
//
// Costs that a slot asks for are checked before they are paid: below the floor a slot
// could be guessed, above the ceiling a planted one would take the device's memory.
//
// Threads  A KeySlots stays with one thread at a time. Argon2id takes as long as the
//          slot says, about a second on the device for which it was made.
// Errors   Without memory, std::bad_alloc.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"
#include "seal/sealer.h"

namespace fieldsync::seal {

inline constexpr std::size_t slots_max = 8;
inline constexpr std::size_t hardware_key_bytes = 32;
inline constexpr std::size_t passphrase_bytes_max = 1024;

// What Argon2id costs, for the owner and for who guesses.
struct KeyCost {
  std::uint32_t passes = 0;
  std::uint64_t memory_bytes = 0;
  bool operator==(const KeyCost&) const = default;
};
inline constexpr KeyCost cost_min{3, 64ULL * 1024 * 1024};
inline constexpr KeyCost cost_max{64, 256ULL * 1024 * 1024};
inline constexpr core::Milliseconds unlock_time_aim{1'000};

// A cost that takes about `aim` here: first more memory, then more passes, never below
// cost_min. Runs Argon2id twice at most.
[[nodiscard]] KeyCost calibrated_cost(const std::function<core::Milliseconds()>& steady_clock,
                                      core::Milliseconds aim = unlock_time_aim);

// Answers a slot's salt with hardware_key_bytes that only this device's hardware can
// compute, for example an HMAC in the key store.
using HardwareKey = std::function<Result<Secret>(std::string_view salt)>;

// What a person and their device can show. A slot is opened by what it was made with.
struct Credentials {
  std::string_view passphrase;  // UTF-8 in NFC; empty for none
  HardwareKey hardware;         // empty for none
};

class KeySlots {
 public:
  explicit KeySlots(const StoreId& store) : store_(store) {}

  // Takes up a slot as it was stored. storage_corrupt: no slot, or a cost that no slot asks for.
  [[nodiscard]] Result<void> take(std::size_t number, std::string_view bytes);
  [[nodiscard]] const std::map<std::size_t, std::string>& stored() const { return slots_; }
  [[nodiscard]] bool has_passphrase() const;

  // Wraps the data key into the first free slot and returns its number. invalid_argument:
  // no credentials, a passphrase that is too long, or a cost out of its bounds.
  // too_many_slots. Whatever the hardware answers.
  [[nodiscard]] Result<std::size_t> add(const Secret& data_key, const Credentials& credentials, const KeyCost& cost);
  // Every slot that these open. Errors as open(): where it opens none.
  [[nodiscard]] Result<void> remove_all_of(const Credentials& credentials);

  struct Opened {
    std::size_t slot;
    Secret data_key;
  };
  // wrong_passphrase: no slot belongs to what was shown. storage_corrupt: one does, and was altered.
  [[nodiscard]] Result<Opened> open(const Credentials& credentials) const;

  bool operator==(const KeySlots&) const = default;

 private:
  StoreId store_;
  std::map<std::size_t, std::string> slots_;  // by number, from 0
};

}  // namespace fieldsync::seal
