// attachments.h: the library's own part of adding and reading attachments.
#pragma once

#include "api/local_store.h"
#include "codec/attachment_hash.h"
#include "fieldsync/attachment.h"

namespace fieldsync {

class AttachmentWriter::Session {
 public:
  // Pre: `about` was checked but for its size.
  Session(api::LocalStore& store, core::Attachment about, std::string preview);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Result<void> write(std::string_view bytes);
  Result<core::Attachment> finish();

 private:
  Result<void> take(std::string_view bytes);
  // Its row, made anew where there is none yet. attachment_not_here: dropped meanwhile.
  Result<storage::AttachmentRow> begun();
  Result<void> store_buffer();
  void drop();

  api::LocalStore& store_;
  core::Attachment about_;
  std::string preview_;
  std::string buffer_;  // not stored yet
  codec::AttachmentHash hash_;
  std::optional<storage::AttachmentRow> row_;  // none before the first bytes are stored
  std::optional<Error> failed_;
};

class AttachmentReader::Session {
 public:
  Session(api::LocalStore& store, storage::AttachmentRow row) : store_(store), row_(std::move(row)) {}

  [[nodiscard]] std::uint32_t size() const { return row_.file.size; }
  Result<std::string> read(std::size_t most);

 private:
  api::LocalStore& store_;
  storage::AttachmentRow row_;
  std::uint32_t at_ = 0;
};

namespace api {

// What follows is called with the store's lock held, in the terms of database.h.

[[nodiscard]] Result<void> space_for(LocalStore& store, std::uint64_t bytes);
[[nodiscard]] Result<AttachmentWriter> add_attachment(LocalStore& store, const NewAttachment& attachment);
[[nodiscard]] Result<AttachmentReader> open_attachment(LocalStore& store, const core::AttachmentId& id);
[[nodiscard]] Result<void> fetch_attachment(LocalStore& store, const core::RecordId& record,
                                            const core::Attachment& attachment);
[[nodiscard]] Result<void> free_attachment(LocalStore& store, const core::AttachmentId& id);
[[nodiscard]] std::vector<AttachmentInfo> list_attachments(LocalStore& store);

}  // namespace api
}  // namespace fieldsync
