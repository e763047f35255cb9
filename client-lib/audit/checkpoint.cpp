#include "audit/checkpoint.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "codec/big_endian.h"
#include "core/id.h"

namespace fieldsync::audit {
namespace {

constexpr std::string_view text_prefix = "fieldsync-checkpoint:1:";

std::string bytes_to_sign(const Checkpoint& checkpoint, const codec::VerifyingKey& key) {
  std::string bytes("fieldsync checkpoint v1\0", 24);
  bytes += view_of(fingerprint_of(key));
  codec::append_big_endian(bytes, checkpoint.size);
  codec::append_big_endian(bytes, static_cast<std::uint64_t>(checkpoint.time.ms));
  bytes += view_of(checkpoint.root);
  return bytes;
}

const unsigned char* data_of(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

std::string_view view_of(const codec::BatchSignature& signature) {
  return {reinterpret_cast<const char*>(signature.data()), signature.size()};
}

template <typename Number>
bool take_number(std::string_view& text, Number& number) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr == text.data() + text.size() || *parsed.ptr != ':') return false;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()) + 1);
  return true;
}

template <std::size_t size>
bool take_hex(std::string_view text, std::array<std::uint8_t, size>& into) {
  std::size_t length = 0;
  return text.size() == 2 * size &&
         sodium_hex2bin(into.data(), size, text.data(), text.size(), nullptr, &length, nullptr) == 0 && length == size;
}

}  // namespace

Hash fingerprint_of(const codec::VerifyingKey& key) { return sha256(view_of_key(key)); }

void sign(Checkpoint& checkpoint, const codec::SigningKey& key) {
  const std::string bytes = bytes_to_sign(checkpoint, public_key_of(key));
  crypto_sign_detached(checkpoint.signature.data(), nullptr, data_of(bytes), bytes.size(), key.data());
}

bool is_signed_by(const Checkpoint& checkpoint, const codec::VerifyingKey& key) {
  const std::string bytes = bytes_to_sign(checkpoint, key);
  return crypto_sign_verify_detached(checkpoint.signature.data(), data_of(bytes), bytes.size(), key.data()) == 0;
}

std::optional<Checkpoint> read_checkpoint(const v1::Checkpoint& wire) {
  Checkpoint checkpoint{wire.size(), {wire.time_ms()}, hash_from(wire.root()), {}};
  if (wire.size() == 0 || wire.root().size() != checkpoint.root.size()) return std::nullopt;
  if (wire.signature().size() != checkpoint.signature.size()) return std::nullopt;
  std::memcpy(checkpoint.signature.data(), wire.signature().data(), checkpoint.signature.size());
  return checkpoint;
}

void write_checkpoint(const Checkpoint& checkpoint, v1::Checkpoint& wire) {
  wire.set_size(checkpoint.size);
  wire.set_time_ms(checkpoint.time.ms);
  wire.set_root(checkpoint.root.data(), checkpoint.root.size());
  wire.set_signature(checkpoint.signature.data(), checkpoint.signature.size());
}

std::string text_of(const Checkpoint& checkpoint) {
  return std::string(text_prefix) + std::to_string(checkpoint.size) + ":" + std::to_string(checkpoint.time.ms) + ":" +
         core::to_hex(view_of(checkpoint.root)) + ":" + core::to_hex(view_of(checkpoint.signature));
}

std::optional<Checkpoint> parse_checkpoint(std::string_view text) {
  if (!text.starts_with(text_prefix)) return std::nullopt;
  text.remove_prefix(text_prefix.size());
  Checkpoint checkpoint;
  if (!take_number(text, checkpoint.size) || checkpoint.size == 0) return std::nullopt;
  if (!take_number(text, checkpoint.time.ms)) return std::nullopt;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !take_hex(text.substr(0, colon), checkpoint.root)) return std::nullopt;
  if (!take_hex(text.substr(colon + 1), checkpoint.signature)) return std::nullopt;
  return checkpoint;
}

codec::VerifyingKey public_key_of(const codec::SigningKey& key) {
  codec::VerifyingKey public_key{};
  std::copy_n(key.end() - public_key.size(), public_key.size(), public_key.begin());
  return public_key;
}

std::optional<codec::VerifyingKey> read_key(std::string_view bytes) {
  codec::VerifyingKey key{};
  if (bytes.size() != key.size()) return std::nullopt;
  std::memcpy(key.data(), bytes.data(), key.size());
  return key;
}

std::string_view view_of_key(const codec::VerifyingKey& key) {
  return {reinterpret_cast<const char*>(key.data()), key.size()};
}

}  // namespace fieldsync::audit
