#include "service/attachment_hash.h"

#include <algorithm>

#include "codec/attachment_hash.h"

namespace fieldsync::server {

Result<core::AttachmentId> hash_attachment(std::uint64_t size, const ReadPiece& read) {
  codec::AttachmentHash hash;
  for (std::uint64_t offset = 0; offset < size;) {
    const auto piece = read(offset, std::min<std::uint64_t>(attachment_piece_bytes, size - offset));
    if (!piece) return piece.error();
    if (piece->empty()) break;
    hash.add(*piece);
    offset += piece->size();
  }
  return hash.id();
}

}  // namespace fieldsync::server
