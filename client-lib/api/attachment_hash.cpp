#include "api/attachment_hash.h"

namespace fieldsync::api {
namespace {

constexpr std::size_t step_bytes = 1024 * 1024;

}  // namespace

core::AttachmentId hash_of(storage::Attachments& attachments, const storage::AttachmentRow& attachment) {
  AttachmentHash hash;
  for (std::uint32_t at = 0; at < attachment.bytes_here;) {
    std::string bytes = attachments.read(attachment, at, step_bytes);
    hash.add(bytes);
    at += static_cast<std::uint32_t>(bytes.size());
    sodium_memzero(bytes.data(), bytes.size());
  }
  return hash.id();
}

}  // namespace fieldsync::api
