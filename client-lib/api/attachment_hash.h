// attachment_hash.h: the SHA-256 by which an attachment is named.
#pragma once

#include <sodium.h>

#include <string_view>

#include "core/value.h"
#include "storage/attachments.h"

namespace fieldsync::api {

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

// Of what is here of it. Pre: the store's lock is held. Throws SqliteError.
[[nodiscard]] core::AttachmentId hash_of(storage::Attachments& attachments, const storage::AttachmentRow& attachment);

}  // namespace fieldsync::api
