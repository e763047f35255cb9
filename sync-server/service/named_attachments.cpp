#include "service/named_attachments.h"

namespace fieldsync::server {

std::vector<core::AttachmentFile> files_named_by(const core::Operation& operation) {
  std::vector<core::AttachmentFile> files;
  for (const core::FieldWrite& write : operation.writes) {
    const auto* attachment = std::get_if<core::Attachment>(&write.value);
    if (attachment == nullptr) continue;
    files.push_back(attachment->file);
    if (attachment->preview) files.push_back(*attachment->preview);
  }
  return files;
}

}  // namespace fieldsync::server
