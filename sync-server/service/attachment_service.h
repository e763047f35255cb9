// attachment_service.h: the bytes of attachments: sent in pieces that go on where they stopped,
// verified, and read by who may read what names them. Plain blocking functions.
//
// Whether another scope holds a file shows nowhere: who may not know of it is answered as where
// there is none, and sends it whole.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fieldsync/v1/attachment.pb.h"
#include "service/attachment_upload.h"
#include "service/clock.h"
#include "service/rights.h"
#include "store/attachment_files.h"
#include "store/store.h"

namespace fieldsync::server {

class AttachmentService {
 public:
  // `store` and `files` outlive the service, and it outlives its uploads. Threads: any.
  AttachmentService(Store& store, AttachmentFiles& files, Clock clock)
      : store_(store), files_(files), clock_(std::move(clock)), completion_(store, files, claims_, Access::full) {}

  // Of those that a scope of the device's person names with that size; without those whose files
  // cannot be read or written now. unknown_device, device_revoked.
  [[nodiscard]] Result<std::vector<v1::AttachmentStatus>> statuses(const core::DeviceId& device,
                                                                   std::span<const core::AttachmentFile> offered,
                                                                   Access access = Access::full);

  // See AttachmentUpload::begin.
  [[nodiscard]] Result<std::unique_ptr<AttachmentUpload>> begin_upload(const core::DeviceId& device,
                                                                       const core::AttachmentId& id,
                                                                       std::uint32_t offset,
                                                                       Access access = Access::full);

  // The device was revoked: nothing stays of what it had not sent to the end. Handing in begins anew.
  [[nodiscard]] Result<void> forget_uploads(const core::DeviceId& device);

  // The size of a file that the device's person may read whole. not_found, unknown_device,
  // device_revoked.
  [[nodiscard]] Result<std::uint32_t> readable_size(const core::DeviceId& device, const core::AttachmentId& id);
  // At most `bytes` of it from `offset` on. As readable_size: the right may have ended meanwhile.
  [[nodiscard]] Result<std::string> read(const core::DeviceId& device, const core::AttachmentId& id,
                                         std::uint64_t offset, std::size_t bytes);

  // Whether what the store says is complete is there, with its hash: those that are not.
  [[nodiscard]] Result<std::vector<core::AttachmentFile>> find_damaged();

 private:
  Store& store_;
  AttachmentFiles& files_;
  Clock clock_;
  UploadClaims claims_;
  AttachmentCompletion completion_;
};

}  // namespace fieldsync::server
