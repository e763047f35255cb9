// attachment_files.h: what the server asks of the place where the bytes of attachments lie.
//
// An upload is a file of one device alone, `<device>-<sha256>`: nobody can spoil another's.
// Once its bytes were verified it is published, as a file that only its hash names. All names
// are the server's own, in small hexadecimal letters.
//
// Threads  Any; calls for one upload are made one after another.
// Errors   storage_full, storage_failed. What a failed write or sync leaves of an upload after
//          its last successful sync is unknown, and is written again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/id.h"
#include "core/result.h"
#include "core/value.h"

namespace fieldsync::server {

struct UploadName {
  core::DeviceId device;
  core::AttachmentId attachment;
  auto operator<=>(const UploadName&) const = default;

  [[nodiscard]] std::string text() const { return device.hex() + "-" + attachment.hex(); }
};

class AttachmentFiles {
 public:
  virtual ~AttachmentFiles() = default;

  // Nothing where there is none.
  virtual Result<std::optional<std::uint64_t>> upload_size(const UploadName& upload) = 0;
  // Cuts the upload at `offset`, made where there is none, and puts `bytes` there.
  // storage_failed where it has not that many bytes.
  virtual Result<void> write_upload(const UploadName& upload, std::uint64_t offset, std::string_view bytes) = 0;
  // After this the upload as it is survives the loss of power.
  virtual Result<void> sync_upload(const UploadName& upload) = 0;
  // `bytes` from `offset` on; fewer only where it ends.
  virtual Result<std::string> read_upload(const UploadName& upload, std::uint64_t offset, std::size_t bytes) = 0;
  // Gives the upload the name of its attachment alone, in the place of what has it, and makes
  // that survive the loss of power. May be repeated: where only the published file is there, its
  // name is made durable once more.
  virtual Result<void> publish(const UploadName& upload) = 0;
  // Does nothing where there is none.
  virtual Result<void> remove_upload(const UploadName& upload) = 0;

  // Nothing where it is not there.
  virtual Result<std::optional<std::uint64_t>> published_size(const core::AttachmentId& id) = 0;
  // As read_upload.
  virtual Result<std::string> read_published(const core::AttachmentId& id, std::uint64_t offset, std::size_t bytes) = 0;
};

}  // namespace fieldsync::server
