#include "codec/batch.h"

#include <sodium.h>

namespace fieldsync::codec {
namespace {

const unsigned char* data_of(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace

std::string signed_bytes(const BatchHeader& header, std::string_view content) {
  static constexpr std::string_view domain{"fieldsync batch v1\0", 19};
  std::string bytes;
  bytes.reserve(domain.size() + 16 + 8 + 32 + 1 + content.size());
  bytes.append(domain);
  bytes.append(header.device.view());
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(header.first_counter >> shift);
  bytes.append(reinterpret_cast<const char*>(header.previous.data()), header.previous.size());
  bytes += static_cast<char>(header.encoding);
  bytes.append(content);
  return bytes;
}

BatchHash hash_batch(std::string_view bytes) {
  BatchHash hash;
  crypto_hash_sha256(hash.data(), data_of(bytes), bytes.size());
  return hash;
}

BatchSignature sign_batch(std::string_view bytes, const SigningKey& key) {
  BatchSignature signature;
  crypto_sign_detached(signature.data(), nullptr, data_of(bytes), bytes.size(), key.data());
  return signature;
}

bool verify_batch(std::string_view bytes, std::string_view signature, const VerifyingKey& key) {
  if (signature.size() != crypto_sign_BYTES) return false;
  return crypto_sign_verify_detached(data_of(signature), data_of(bytes), bytes.size(), key.data()) == 0;
}

}  // namespace fieldsync::codec
