// named_attachments.h: which files applied operations name, which is what gives the right to
// send and to read them.
#pragma once

#include <vector>

#include "core/operation.h"

namespace fieldsync::server {

// Attachments and their previews.
[[nodiscard]] std::vector<core::AttachmentFile> files_named_by(const core::Operation& operation);

}  // namespace fieldsync::server
