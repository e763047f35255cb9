#include "codec/digest.h"

#include <sodium.h>

#include <string>

namespace fieldsync::codec {
namespace {

void append_little_endian(std::string& bytes, std::uint64_t number) {
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(number >> (8 * i));
}

}  // namespace

std::uint64_t hash_bytes(std::string_view bytes) {
  static_assert(crypto_shorthash_BYTES == 8 && crypto_shorthash_KEYBYTES == 16);
  static constexpr char key[] = "fieldsync digest";
  unsigned char digest[crypto_shorthash_BYTES];
  crypto_shorthash(digest, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                   reinterpret_cast<const unsigned char*>(key));
  std::uint64_t number = 0;
  for (int i = 7; i >= 0; --i) number = (number << 8) | digest[i];
  return number;
}

std::uint64_t hash_record(std::string_view head, std::uint64_t body_hash) {
  std::string bytes(head);
  append_little_endian(bytes, body_hash);
  return hash_bytes(bytes);
}

std::uint64_t hash_refusal(std::uint64_t counter, std::string_view code) {
  std::string bytes;
  append_little_endian(bytes, counter);
  bytes += code;
  return hash_bytes(bytes);
}

}  // namespace fieldsync::codec
