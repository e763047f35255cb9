// batch.h: consecutive operations of one device, signed as exact bytes and
// chained, so that nobody else can add to a device's history unnoticed.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/id.h"
#include "core/result.h"

namespace fieldsync::codec {

using BatchHash = std::array<std::uint8_t, 32>;       // SHA-256 over header and content
using BatchSignature = std::array<std::uint8_t, 64>;  // Ed25519
using SigningKey = std::array<std::uint8_t, 64>;      // Ed25519, libsodium's form: seed and public key
using VerifyingKey = std::array<std::uint8_t, 32>;

enum class Encoding : std::uint8_t { plain = 0, zstd = 1 };

[[nodiscard]] std::string_view bytes_of(const BatchHash& hash);
// Zeros where `bytes` is not a hash.
[[nodiscard]] BatchHash hash_from(std::string_view bytes);

// Where a device's chain of batches has got to: a batch's last operation and its hash.
// 0 and zeros before the first batch.
struct ChainPosition {
  std::uint64_t counter = 0;
  BatchHash hash{};
  bool operator==(const ChainPosition&) const = default;
};

inline constexpr std::size_t batch_content_bytes_max = 2 * 1024 * 1024;
inline constexpr std::size_t previous_hash_prefix_bytes = 8;

// What is hashed besides the content.
struct BatchHeader {
  core::DeviceId device;
  std::uint64_t first_counter = 0;
  BatchHash previous{};  // zeros for a device's first batch
  Encoding encoding = Encoding::plain;
};

// Names the batch: its exact bytes, its place and its device's whole history before
// it (see proto/fieldsync/v1/operation.proto).
[[nodiscard]] BatchHash hash_batch(const BatchHeader& header, std::string_view content);

// The signature is over the hash, so that who holds a history's hashes and
// signatures can check it without its content.
[[nodiscard]] BatchSignature sign_batch(const BatchHash& hash, const SigningKey& key);
[[nodiscard]] bool verify_batch(const BatchHash& hash, std::string_view signature, const VerifyingKey& key);

}  // namespace fieldsync::codec
