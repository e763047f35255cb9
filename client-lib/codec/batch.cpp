#include "codec/batch.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <memory>
#include <new>

#include "codec/big_endian.h"

namespace fieldsync::codec {
namespace {

const unsigned char* data_of(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

std::string header_bytes(const BatchHeader& header) {
  std::string bytes("fieldsync batch v1\0", 19);
  bytes.append(header.device.view());
  append_big_endian(bytes, header.first_counter);
  bytes.append(reinterpret_cast<const char*>(header.previous.data()), header.previous.size());
  bytes += static_cast<char>(header.encoding);
  return bytes;
}

std::string bytes_to_sign(const BatchHash& hash) {
  std::string bytes("fieldsync signature v1\0", 23);
  bytes.append(bytes_of(hash));
  return bytes;
}

}  // namespace

std::string_view bytes_of(const BatchHash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

BatchHash hash_from(std::string_view bytes) {
  BatchHash hash{};
  if (bytes.size() == hash.size()) std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

// OpenSSL's SHA-256 uses the processor's instructions for it, libsodium's does not:
// a fifth of the time.
BatchHash hash_batch(const BatchHeader& header, std::string_view content) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const std::string first = header_bytes(header);
  BatchHash hash{};
  const bool done = context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1 &&
                    EVP_DigestUpdate(context.get(), first.data(), first.size()) == 1 &&
                    EVP_DigestUpdate(context.get(), content.data(), content.size()) == 1 &&
                    EVP_DigestFinal_ex(context.get(), hash.data(), nullptr) == 1;
  if (!done) throw std::bad_alloc();
  return hash;
}

BatchSignature sign_batch(const BatchHash& hash, const SigningKey& key) {
  const std::string bytes = bytes_to_sign(hash);
  BatchSignature signature;
  crypto_sign_detached(signature.data(), nullptr, data_of(bytes), bytes.size(), key.data());
  return signature;
}

bool verify_batch(const BatchHash& hash, std::string_view signature, const VerifyingKey& key) {
  if (signature.size() != crypto_sign_BYTES) return false;
  const std::string bytes = bytes_to_sign(hash);
  return crypto_sign_verify_detached(data_of(signature), data_of(bytes), bytes.size(), key.data()) == 0;
}

}  // namespace fieldsync::codec
