// posix_attachment_files.h: attachments as files of one folder, which its owner alone may
// enter: published ones in it, uploads in its subfolder `uploads`.
#pragma once

#include <filesystem>
#include <memory>

#include "store/attachment_files.h"

namespace fieldsync::server {

class PosixAttachmentFiles final : public AttachmentFiles {
 public:
  // Makes the folders where they are missing. Pre: the folder above is there.
  [[nodiscard]] static Result<std::unique_ptr<PosixAttachmentFiles>> open(const std::filesystem::path& folder);

  Result<std::optional<std::uint64_t>> upload_size(const UploadName& upload) override;
  Result<void> write_upload(const UploadName& upload, std::uint64_t offset, std::string_view bytes) override;
  Result<void> sync_upload(const UploadName& upload) override;
  Result<std::string> read_upload(const UploadName& upload, std::uint64_t offset, std::size_t bytes) override;
  Result<void> publish(const UploadName& upload) override;
  Result<void> remove_upload(const UploadName& upload) override;
  Result<std::optional<std::uint64_t>> published_size(const core::AttachmentId& id) override;
  Result<std::string> read_published(const core::AttachmentId& id, std::uint64_t offset, std::size_t bytes) override;

 private:
  explicit PosixAttachmentFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] std::filesystem::path uploads() const { return folder_ / "uploads"; }
  [[nodiscard]] std::filesystem::path path_of(const UploadName& upload) const { return uploads() / upload.text(); }
  [[nodiscard]] std::filesystem::path path_of(const core::AttachmentId& id) const { return folder_ / id.hex(); }

  std::filesystem::path folder_;
};

}  // namespace fieldsync::server
