// office_copy.h: what stands in the office's database at the end of a run, read
// past the server.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/record_state.h"
#include "sim/server.h"

namespace fieldsync::sim {

struct OfficeRecord {
  std::string head, body;
  core::RecordState state;
};

struct OfficeScopeCopy {
  std::uint64_t head = 0;
  std::uint64_t digest = 0;
  std::map<core::RecordId, OfficeRecord> records;
};

struct OfficeDeviceCopy {
  std::uint64_t last_counter = 0;
  // The operations' bytes as they stand in the batches, by counter.
  std::map<std::uint64_t, std::string> history;
  std::map<std::uint64_t, std::string> quarantine;       // with the operation's bytes
  std::map<std::uint64_t, std::string> quarantine_code;  // what they were refused for
};

struct IndexedOperation {
  core::OperationId id;
  std::uint64_t seq = 0;
  std::int64_t effective_ms = 0;
  // The latest receipt in the scope up to and with this one: the office's own clock
  // may have gone back.
  std::int64_t received_by_ms = 0;
};

struct OfficeCopy {
  std::map<core::ScopeId, OfficeScopeCopy> scopes;
  std::map<core::DeviceId, OfficeDeviceCopy> devices;
  std::map<core::OperationId, IndexedOperation> applied;
  std::set<std::pair<core::RecordId, core::FieldKey>> open_conflicts;
  std::set<std::pair<core::ScopeId, core::AttachmentId>> complete_attachments;
  std::string integrity_problem;
};

// Throws BrokenPromise where the database contradicts itself.
[[nodiscard]] OfficeCopy read_office(const Server& server);

}  // namespace fieldsync::sim
