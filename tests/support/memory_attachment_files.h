// memory_attachment_files.h: AttachmentFiles without a disk, for tests of something else.
#pragma once

#include <map>

#include "store/attachment_files.h"

namespace fieldsync::testing {

class MemoryAttachmentFiles final : public server::AttachmentFiles {
 public:
  Result<std::optional<std::uint64_t>> upload_size(const server::UploadName& upload) override {
    return size_in(uploads, upload);
  }
  Result<void> write_upload(const server::UploadName& upload, std::uint64_t offset, std::string_view bytes) override {
    std::string& content = uploads[upload];
    if (content.size() < offset) return Error{Errc::storage_failed, {}};
    content.resize(offset);
    content += bytes;
    return {};
  }
  Result<void> sync_upload(const server::UploadName& upload) override {
    return uploads.contains(upload) ? Result<void>() : Error{Errc::storage_failed, {}};
  }
  Result<std::string> read_upload(const server::UploadName& upload, std::uint64_t offset, std::size_t bytes) override {
    return read_in(uploads, upload, offset, bytes);
  }
  Result<void> publish(const server::UploadName& upload) override {
    const auto at = uploads.find(upload);
    if (at == uploads.end())
      return published.contains(upload.attachment) ? Result<void>() : Error{Errc::storage_failed, {}};
    published[upload.attachment] = std::move(at->second);
    uploads.erase(at);
    return {};
  }
  Result<void> remove_upload(const server::UploadName& upload) override {
    if (keeps_uploads) return Error{Errc::storage_failed, {}};
    uploads.erase(upload);
    return {};
  }
  Result<std::optional<std::uint64_t>> published_size(const core::AttachmentId& id) override {
    return size_in(published, id);
  }
  Result<std::string> read_published(const core::AttachmentId& id, std::uint64_t offset, std::size_t bytes) override {
    return read_in(published, id, offset, bytes);
  }

  std::map<server::UploadName, std::string> uploads;
  std::map<core::AttachmentId, std::string> published;
  bool keeps_uploads = false;  // none can be removed

 private:
  template <typename Name>
  static Result<std::optional<std::uint64_t>> size_in(const std::map<Name, std::string>& files, const Name& name) {
    const auto at = files.find(name);
    if (at == files.end()) return std::optional<std::uint64_t>();
    return std::optional<std::uint64_t>(at->second.size());
  }
  template <typename Name>
  static Result<std::string> read_in(const std::map<Name, std::string>& files, const Name& name, std::uint64_t offset,
                                     std::size_t bytes) {
    const auto at = files.find(name);
    if (at == files.end()) return Error{Errc::storage_failed, {}};
    return offset < at->second.size() ? at->second.substr(offset, bytes) : std::string();
  }
};

}  // namespace fieldsync::testing
