#include "seal/secret.h"

#include <sodium.h>

#include <cstring>
#include <new>
#include <utility>

namespace fieldsync::seal {

Secret::Secret(std::size_t size) : bytes_(static_cast<unsigned char*>(sodium_malloc(size))), size_(size) {
  if (bytes_ == nullptr) throw std::bad_alloc();
  sodium_memzero(bytes_, size_);
}

Secret::~Secret() { sodium_free(bytes_); }

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(size_, other.size_);
  return *this;
}

Secret Secret::random(std::size_t size) {
  Secret secret(size);
  randombytes_buf(secret.data(), size);
  return secret;
}

Secret Secret::copy_of(std::string_view bytes) {
  Secret secret(bytes.size());
  if (!bytes.empty()) std::memcpy(secret.data(), bytes.data(), bytes.size());
  return secret;
}

}  // namespace fieldsync::seal
