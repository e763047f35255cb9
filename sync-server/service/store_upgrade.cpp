#include "service/store_upgrade.h"

#include <set>

#include "codec/batch.h"
#include "codec/form_codec.h"
#include "codec/frame.h"
#include "codec/operation_codec.h"
#include "service/named_attachments.h"

namespace fieldsync::server {
namespace {

constexpr const char* to_index = "attachments_to_index";

Result<void> index_batch(WriteTransaction& transaction, const DeviceRow& device, const BatchRow& batch,
                         const std::set<std::uint64_t>& quarantined, codec::FrameReader& frames) {
  auto content = static_cast<codec::Encoding>(batch.encoding) == codec::Encoding::zstd
                     ? frames.decompress(batch.content, codec::batch_content_bytes_max)
                     : Result<std::string>(std::string(batch.content));
  if (!content) return Error{Errc::storage_corrupt, {}};
  const auto operations = codec::split_list(*content);
  if (!operations) return Error{Errc::storage_corrupt, {}};
  for (std::size_t i = 0; i < operations->size(); ++i) {
    const core::OperationId id{device.id, batch.first_counter + i};
    std::size_t elements = 0;
    const auto operation = codec::decode_operation((*operations)[i], id, device.person.id, elements);
    // An attachment was written in another way once, without its size: it cannot be sent.
    if (!operation) continue;
    const bool is_applied = !quarantined.contains(id.counter);
    const auto scope = is_applied ? transaction.scope(operation->scope) : std::nullopt;
    if (is_applied && !scope) return Error{Errc::storage_corrupt, {}};
    for (const core::AttachmentFile& file : files_named_by(*operation))
      transaction.name_attachment(scope ? scope->key : quarantine_of(device.key), device.key, operation->record, file,
                                  true);
  }
  return {};
}

}  // namespace

Result<void> upgrade_store(Store& store) {
  bool is_needed = false;
  const auto looked = store.read([&](ReadTransaction& transaction) -> Result<void> {
    is_needed = !transaction.setting(to_index).empty();
    return {};
  });
  if (!looked || !is_needed) return looked;
  return store.write([&](WriteTransaction& transaction) -> Result<void> {
    for (const FormRow& row : transaction.forms_since(0)) {
      const auto form = codec::decode_form(row.bytes);
      if (form && form->reference_data) transaction.mark_reference_form(row.name);
    }
    codec::FrameReader frames;
    for (const DeviceRow& device : transaction.devices()) {
      std::set<std::uint64_t> quarantined;
      for (const QuarantineRow& row : transaction.quarantined_up_to(device.key, device.last_counter))
        quarantined.insert(row.counter);
      Result<void> indexed;
      transaction.batches_between(device.key, 1, device.last_counter, [&](const BatchRow& batch) {
        if (indexed) indexed = index_batch(transaction, device, batch, quarantined, frames);
      });
      if (!indexed) return indexed;
    }
    transaction.put_setting(to_index, {});
    return {};
  });
}

}  // namespace fieldsync::server
