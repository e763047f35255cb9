// named_attachments.h: which files applied operations name, which is what gives the right to
// send and to read them.
#pragma once

#include <vector>

#include "core/operation.h"
#include "core/result.h"
#include "store/store.h"

namespace fieldsync::server {

// Attachments and their previews.
[[nodiscard]] std::vector<core::AttachmentFile> files_named_by(const core::Operation& operation);

// Enters what the operations of a database name that was made before attachments were. Does
// nothing where it has been done. storage_corrupt: a batch cannot be read.
[[nodiscard]] Result<void> index_attachments(Store& store);

}  // namespace fieldsync::server
