#include "service/attachment_service.h"

#include "service/attachment_hash.h"

namespace fieldsync::server {

Result<std::vector<v1::AttachmentStatus>> AttachmentService::statuses(const core::DeviceId& device,
                                                                      std::span<const core::AttachmentFile> offered,
                                                                      Access access) {
  AttachmentCompletion completion(store_, files_, claims_, access);
  std::vector<v1::AttachmentStatus> statuses;
  for (const core::AttachmentFile& file : offered) {
    const auto standing = completion.settle({device, file.id}, {file.size, false});
    if (standing) {
      statuses.push_back(status_of(file.id, *standing));
      continue;
    }
    switch (standing.error().code) {
      case Errc::attachment_damaged: statuses.push_back(status_of(file.id, {})); break;
      case Errc::not_found: break;
      // Text goes first: a disk that fails these must not hold it up. They are offered again.
      case Errc::storage_full:
      case Errc::storage_failed: break;
      default: return standing.error();
    }
  }
  return statuses;
}

Result<std::unique_ptr<AttachmentUpload>> AttachmentService::begin_upload(const core::DeviceId& device,
                                                                          const core::AttachmentId& id,
                                                                          std::uint32_t offset, Access access) {
  return AttachmentUpload::begin(store_, files_, claims_, clock_, {device, id}, offset, access);
}

Result<void> AttachmentService::forget_uploads(const core::DeviceId& device) {
  std::optional<DeviceRow> row;
  std::vector<core::AttachmentId> uploads;
  auto done = store_.read([&](ReadTransaction& transaction) -> Result<void> {
    row = transaction.device_by_id(device);
    if (!row) return Error{Errc::unknown_device, {}};
    uploads = transaction.uploads_of(row->key);
    return {};
  });
  // The rows last: while one is left, whoever gives the command again finds its file.
  for (const core::AttachmentId& id : uploads)
    if (done) done = completion_.forget({device, id});
  if (!done || uploads.empty()) return done;
  return store_.write([&](WriteTransaction& transaction) -> Result<void> {
    for (const core::AttachmentId& id : uploads) transaction.set_upload_bytes(row->key, id, 0);
    return {};
  });
}

Result<std::uint32_t> AttachmentService::readable_size(const core::DeviceId& device, const core::AttachmentId& id) {
  std::vector<NamedAttachment> named;
  const auto looked = store_.read([&](ReadTransaction& transaction) -> Result<void> {
    const auto row = enrolled_device(transaction, device);
    if (!row) return row.error();
    named = attachments_known_to(transaction, *row, id);
    return {};
  });
  if (!looked) return looked.error();
  for (const NamedAttachment& each : named) {
    if (!each.is_complete() || !may_read(each)) continue;
    const auto published = completion_.is_published({id, each.size});
    if (!published) return published.error();
    if (*published) return each.size;
  }
  return Error{Errc::not_found, {}};
}

Result<std::string> AttachmentService::read(const core::DeviceId& device, const core::AttachmentId& id,
                                            std::uint64_t offset, std::size_t bytes) {
  const auto size = readable_size(device, id);
  if (!size) return size.error();
  return files_.read_published(id, offset, bytes);
}

Result<std::vector<core::AttachmentFile>> AttachmentService::find_damaged() {
  std::vector<core::AttachmentFile> files;
  const auto looked = store_.read([&](ReadTransaction& transaction) -> Result<void> {
    transaction.complete_attachments([&](const core::AttachmentFile& file) { files.push_back(file); });
    return {};
  });
  if (!looked) return looked.error();
  std::vector<core::AttachmentFile> damaged;
  for (const core::AttachmentFile& file : files) {
    const auto published = completion_.is_published(file);
    if (!published) return published.error();
    const auto hash = hash_attachment(*published ? file.size : 0, [&](std::uint64_t offset, std::size_t bytes) {
      return files_.read_published(file.id, offset, bytes);
    });
    if (!hash) return hash.error();
    if (*hash != file.id) damaged.push_back(file);
  }
  return damaged;
}

}  // namespace fieldsync::server
