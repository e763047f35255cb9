// attachment_hash.h: the SHA-256 by which an attachment is named, of bytes that come in pieces.
#pragma once

#include <sodium.h>

#include <string_view>

#include "core/value.h"

namespace fieldsync::codec {

// Leaves nothing of the bytes behind.
class AttachmentHash {
 public:
  AttachmentHash() { crypto_hash_sha256_init(&state_); }
  ~AttachmentHash() { sodium_memzero(&state_, sizeof state_); }
  AttachmentHash(const AttachmentHash&) = default;
  AttachmentHash& operator=(const AttachmentHash&) = default;

  void add(std::string_view bytes) {
    crypto_hash_sha256_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  }
  // Once, at the end.
  [[nodiscard]] core::AttachmentId id() {
    core::AttachmentId id;
    static_assert(sizeof id.sha256 == crypto_hash_sha256_BYTES);
    crypto_hash_sha256_final(&state_, id.sha256.data());
    return id;
  }

 private:
  crypto_hash_sha256_state state_{};
};

}  // namespace fieldsync::codec
