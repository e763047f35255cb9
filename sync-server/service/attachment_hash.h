// attachment_hash.h: the SHA-256 of a file that is read in pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/result.h"
#include "core/value.h"

namespace fieldsync::server {

inline constexpr std::size_t attachment_piece_bytes = 64 * 1024;

// Reads as AttachmentFiles does.
using ReadPiece = std::function<Result<std::string>(std::uint64_t offset, std::size_t bytes)>;

// Of the first `size` bytes, or of all where there are fewer.
[[nodiscard]] Result<core::AttachmentId> hash_attachment(std::uint64_t size, const ReadPiece& read);

}  // namespace fieldsync::server
