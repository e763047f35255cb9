#include "service/attachment_hash.h"

#include <sodium.h>

#include <algorithm>

namespace fieldsync::server {

Result<core::AttachmentId> hash_attachment(std::uint64_t size, const ReadPiece& read) {
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (std::uint64_t offset = 0; offset < size;) {
    const auto piece = read(offset, std::min<std::uint64_t>(attachment_piece_bytes, size - offset));
    if (!piece) return piece.error();
    if (piece->empty()) break;
    crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(piece->data()), piece->size());
    offset += piece->size();
  }
  core::AttachmentId id;
  crypto_hash_sha256_final(&state, id.sha256.data());
  return id;
}

}  // namespace fieldsync::server
