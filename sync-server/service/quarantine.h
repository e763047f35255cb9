// quarantine.h: what the office decides about operations that may not be applied: accepted after
// all, or returned to their authors. Nothing leaves quarantine but into a record.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/operation.h"
#include "core/result.h"
#include "service/audit_log.h"
#include "store/store.h"

namespace fieldsync::server {

inline constexpr std::size_t return_note_characters_max = 500;

// An attachment or preview that such an operation names.
struct QuarantinedFile {
  core::AttachmentFile file;
  bool is_here = false;  // its bytes came, and are what the name promises
};

struct QuarantinedOperation {
  DeviceRow device;  // its author's, who is device.person
  std::uint64_t counter = 0;
  std::string code;  // what its author is told
  std::string message;
  std::string refused_for;  // where it was returned: the code before that
  core::Instant received;
  core::Milliseconds clock_offset;
  std::string bytes;                         // as they were signed
  std::optional<core::Operation> operation;  // nothing where the bytes cannot be read
  std::optional<ScopeRow> scope;             // nothing where there is none such
  std::vector<QuarantinedFile> files;

  [[nodiscard]] bool is_returned() const { return !refused_for.empty(); }
};

// Of one device, or of all; by device and counter.
[[nodiscard]] std::vector<QuarantinedOperation> list_quarantine(ReadTransaction& transaction,
                                                                const std::optional<DeviceRow>& device);

// not_found.
[[nodiscard]] Result<QuarantinedOperation> find_quarantined(ReadTransaction& transaction, const DeviceRow& device,
                                                            std::uint64_t counter);

// Applies it under its own id, author and claimed time, in the scope that it names, and takes it out of
// quarantine, in one transaction; what came of its attachments belongs to that scope then. Its device
// learns with its next sync. not_found, malformed_operation, and what apply_as_office refuses: then it
// stays where it is.
[[nodiscard]] Result<void> accept_quarantined(Store& store, const AuditLog& log, const core::OperationId& id);

// It stays where it is; its author reads the note, and can send it again otherwise. not_found,
// invalid_text, invalid_argument: it was returned already.
[[nodiscard]] Result<void> return_quarantined(Store& store, const AuditLog& log, const core::OperationId& id,
                                              const std::string& note);

}  // namespace fieldsync::server
