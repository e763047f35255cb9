#include "core/value.h"

#include <algorithm>

namespace fieldsync::core {

std::string AttachmentId::hex() const { return to_hex(view()); }

std::optional<AttachmentId> AttachmentId::from_bytes(std::string_view bytes) {
  AttachmentId id;
  if (bytes.size() != id.sha256.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), id.sha256.begin());
  return id;
}

std::optional<AttachmentId> AttachmentId::parse_hex(std::string_view text) {
  const auto bytes = from_hex(text);
  return bytes ? from_bytes(*bytes) : std::nullopt;
}

std::uint64_t SeenVector::counter_of(const DeviceId& device) const {
  const auto at = std::lower_bound(newest.begin(), newest.end(), device,
                                   [](const OperationId& entry, const DeviceId& id) { return entry.device < id; });
  return at != newest.end() && at->device == device ? at->counter : 0;
}

bool SeenVector::covers(const OperationId& operation) const {
  return operation.counter <= counter_of(operation.device);
}

void SeenVector::add(const OperationId& operation) {
  const auto at = std::lower_bound(newest.begin(), newest.end(), operation.device,
                                   [](const OperationId& entry, const DeviceId& id) { return entry.device < id; });
  if (at == newest.end() || at->device != operation.device) {
    newest.insert(at, operation);
  } else {
    at->counter = std::max(at->counter, operation.counter);
  }
}

}  // namespace fieldsync::core
