// machine_attachment_files.h: the attachments of an office on a simulated machine's disk, with
// its faults: in each step the disk may be full or fail, and the power may go.
//
// Each call opens the file anew, as the real one does: nothing is kept over a restart. A machine
// has no subfolders: what makes a new file or a rename durable does it for every other name.
// What it allocates itself does not fail, and is not counted (support/allocation_pause.h).
#pragma once

#include "sim/disk/machine.h"
#include "store/attachment_files.h"

namespace fieldsync::sim {

class MachineAttachmentFiles final : public server::AttachmentFiles {
 public:
  // `machine` outlives this.
  explicit MachineAttachmentFiles(Machine& machine) : machine_(machine) {}

  Result<std::optional<std::uint64_t>> upload_size(const server::UploadName& upload) override;
  Result<void> write_upload(const server::UploadName& upload, std::uint64_t offset, std::string_view bytes) override;
  Result<void> sync_upload(const server::UploadName& upload) override;
  Result<std::string> read_upload(const server::UploadName& upload, std::uint64_t offset, std::size_t bytes) override;
  Result<void> publish(const server::UploadName& upload) override;
  Result<void> remove_upload(const server::UploadName& upload) override;
  Result<std::optional<std::uint64_t>> published_size(const core::AttachmentId& id) override;
  Result<std::string> read_published(const core::AttachmentId& id, std::uint64_t offset, std::size_t bytes) override;

  // Where the machine's files hold it.
  [[nodiscard]] std::string path_of(const server::UploadName& upload) const;
  [[nodiscard]] std::string path_of(const core::AttachmentId& id) const;
  // Of each published file there is: its hash as its name says it.
  [[nodiscard]] std::vector<core::AttachmentId> published() const;

 private:
  Result<std::optional<std::uint64_t>> size_of(const std::string& path);
  Result<std::string> read(const std::string& path, std::uint64_t offset, std::size_t bytes);
  // storage_failed where it is not there; `flags` as SQLite's.
  Result<std::unique_ptr<OpenFile>> open(const std::string& path, int flags);

  Machine& machine_;
};

}  // namespace fieldsync::sim
