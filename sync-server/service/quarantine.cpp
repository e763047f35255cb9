#include "service/quarantine.h"

#include <algorithm>
#include <limits>

#include "codec/frame.h"
#include "codec/operation_codec.h"
#include "core/text.h"
#include "service/form_cache.h"
#include "service/named_attachments.h"
#include "service/upload.h"

namespace fieldsync::server {
namespace {

bool is_here(ReadTransaction& transaction, const DeviceRow& device, const core::AttachmentFile& file) {
  const auto named = transaction.attachments_named(device, file.id);
  return std::any_of(named.begin(), named.end(), [&](const NamedAttachment& each) {
    return each.scope == quarantine_of(device.key) && each.size == file.size && each.is_complete();
  });
}

QuarantinedOperation read_row(ReadTransaction& transaction, const DeviceRow& device, const QuarantineRow& row) {
  QuarantinedOperation found;
  found.device = device;
  found.counter = row.counter;
  found.code = row.code;
  found.message = row.message;
  found.refused_for = row.refused_for;
  found.received = row.received;
  found.clock_offset = row.clock_offset;
  found.bytes = row.operation;
  std::size_t elements = 0;
  auto operation = codec::decode_operation(found.bytes, {device.id, row.counter}, device.person.id, elements);
  if (!operation) return found;
  found.scope = transaction.scope(operation->scope);
  for (const core::AttachmentFile& file : files_named_by(*operation))
    found.files.push_back({file, is_here(transaction, device, file)});
  found.operation = std::move(*operation);
  return found;
}

Result<QuarantinedOperation> find(ReadTransaction& transaction, const core::OperationId& id) {
  const auto device = transaction.device_by_id(id.device);
  if (!device) return Error{Errc::not_found, "There is no such device."};
  return find_quarantined(transaction, *device, id.counter);
}

void note_decision(WriteTransaction& transaction, const AuditLog& log, std::string_view act,
                   const core::OperationId& id) {
  log.note_act(transaction, {act, {std::string(id.device.view())}, std::to_string(id.counter)});
}

}  // namespace

std::vector<QuarantinedOperation> list_quarantine(ReadTransaction& transaction,
                                                  const std::optional<DeviceRow>& device) {
  std::vector<QuarantinedOperation> list;
  for (const DeviceRow& each : device ? std::vector<DeviceRow>{*device} : transaction.devices()) {
    transaction.quarantined_between(each.key, 0, std::numeric_limits<std::int64_t>::max(),
                                    [&](const auto& row) { list.push_back(read_row(transaction, each, row)); });
  }
  return list;
}

Result<QuarantinedOperation> find_quarantined(ReadTransaction& transaction, const DeviceRow& device,
                                              std::uint64_t counter) {
  std::optional<QuarantinedOperation> found;
  transaction.quarantined_between(device.key, counter, counter,
                                  [&](const auto& row) { found = read_row(transaction, device, row); });
  if (!found) {
    return Error{Errc::not_found, "There is no such operation in quarantine: accepted already, or never refused."};
  }
  return *found;
}

Result<void> accept_quarantined(Store& store, const AuditLog& log, const core::OperationId& id) {
  codec::FrameReader reader;
  codec::FrameWriter writer;
  FormCache forms;
  return store.write([&](WriteTransaction& transaction) -> Result<void> {
    auto found = find(transaction, id);
    if (!found) return found.error();
    if (!found->operation)
      return Error{Errc::malformed_operation, "The operation cannot be read, so it stays in quarantine."};
    const core::Arrival arrival{found->received, found->clock_offset};
    auto applied = apply_as_office(transaction, found->device, std::move(*found->operation), arrival,
                                   *forms.forms(transaction), writer, reader);
    if (!applied) return applied;
    // Its bytes, which its author brought, are of the scope now; that they once were theirs alone does no harm.
    for (const QuarantinedFile& file : found->files) {
      if (!file.is_here) continue;
      static_cast<void>(transaction.complete_attachment(found->scope->key, file.file));
      transaction.prove_attachment(found->device.person.id, found->scope->key, file.file);
    }
    transaction.leave_quarantine(found->device.key, id.counter);
    note_decision(transaction, log, "quarantine_accept", id);
    return {};
  });
}

Result<void> return_quarantined(Store& store, const AuditLog& log, const core::OperationId& id,
                                const std::string& note) {
  const auto characters = core::count_characters(note);
  if (!characters || *characters == 0 || *characters > return_note_characters_max)
    return Error{Errc::invalid_text, "The note must have 1 to 500 characters: its author reads it."};
  return store.write([&](WriteTransaction& transaction) -> Result<void> {
    const auto found = find(transaction, id);
    if (!found) return found.error();
    if (found->is_returned())
      return Error{Errc::invalid_argument, "It was returned already, with the note: " + found->message};
    transaction.return_quarantined(found->device.key, id.counter, describe(Errc::returned).name, note);
    note_decision(transaction, log, "quarantine_return", id);
    return {};
  });
}

}  // namespace fieldsync::server
