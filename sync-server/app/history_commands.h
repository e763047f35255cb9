// history_commands.h: `fingerprint` and `history export`.
#pragma once

#include "app/commands.h"

namespace fieldsync::server {

[[nodiscard]] Result<void> show_fingerprint(Administration& admin, bool as_json);

// Writes the whole audit log, with the batches that it tells of, to a file that was not there: all that `verify`
// needs (audit/history_file.h). Devices go on syncing meanwhile; what comes after the export began is not in it.
[[nodiscard]] Result<void> export_history(Administration& admin, const std::string& file);

}  // namespace fieldsync::server
