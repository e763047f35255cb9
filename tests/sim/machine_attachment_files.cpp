#include "sim/machine_attachment_files.h"

#include <sqlite3.h>

#include <algorithm>

#include "sim/disk/open_file.h"
#include "support/allocation_pause.h"

namespace fieldsync::sim {
namespace {

constexpr int may_make = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

// Of one of SQLite's result codes.
Result<void> done(int code) {
  if (code == SQLITE_OK) return {};
  return Error{code == SQLITE_FULL ? Errc::storage_full : Errc::storage_failed, {}};
}

}  // namespace

std::string MachineAttachmentFiles::path_of(const server::UploadName& upload) const {
  return machine_.folder() + "/attachments/uploads/" + upload.text();
}

std::string MachineAttachmentFiles::path_of(const core::AttachmentId& id) const {
  return machine_.folder() + "/attachments/" + id.hex();
}

std::vector<core::AttachmentId> MachineAttachmentFiles::published() const {
  const std::string folder = machine_.folder() + "/attachments/";
  std::vector<core::AttachmentId> ids;
  for (const std::string& name : machine_.files().names()) {
    if (!name.starts_with(folder)) continue;
    if (const auto id = core::AttachmentId::parse_hex(name.substr(folder.size()))) ids.push_back(*id);
  }
  return ids;
}

Result<std::unique_ptr<OpenFile>> MachineAttachmentFiles::open(const std::string& path, int flags) {
  std::unique_ptr<OpenFile> file;
  if (machine_.open(path, flags, file) != SQLITE_OK) return Error{Errc::storage_failed, {}};
  return file;
}

Result<std::optional<std::uint64_t>> MachineAttachmentFiles::size_of(const std::string& path) {
  const bool is_there = machine_.files().find(path).has_value();
  bool has_bytes = false;
  if (auto looked = done(machine_.exists(path, has_bytes)); !looked) return looked.error();
  if (!is_there) return std::optional<std::uint64_t>();
  return std::optional<std::uint64_t>(machine_.files().content(*machine_.files().find(path)).size());
}

Result<std::string> MachineAttachmentFiles::read(const std::string& path, std::uint64_t offset, std::size_t bytes) {
  const auto file = open(path, SQLITE_OPEN_READONLY);
  if (!file) return file.error();
  std::size_t size = 0;
  if (auto sized = done((*file)->size(size)); !sized) return sized.error();
  std::string content(std::min<std::size_t>(bytes, size - std::min<std::size_t>(offset, size)), '\0');
  if (content.empty()) return content;
  const auto got = done((*file)->read(content.data(), content.size(), offset));
  return got ? Result(std::move(content)) : got.error();
}

Result<std::optional<std::uint64_t>> MachineAttachmentFiles::upload_size(const server::UploadName& upload) {
  const testing::AllocationPause pause;
  return size_of(path_of(upload));
}

Result<void> MachineAttachmentFiles::write_upload(const server::UploadName& upload, std::uint64_t offset,
                                                  std::string_view bytes) {
  const testing::AllocationPause pause;
  const auto file = open(path_of(upload), may_make);
  if (!file) return file.error();
  std::size_t size = 0;
  if (auto sized = done((*file)->size(size)); !sized) return sized;
  if (size < offset) return Error{Errc::storage_failed, {}};
  if (size > offset) {
    if (auto cut = done((*file)->truncate(offset)); !cut) return cut;
  }
  return bytes.empty() ? Result<void>() : done((*file)->write(bytes, offset));
}

Result<void> MachineAttachmentFiles::sync_upload(const server::UploadName& upload) {
  const testing::AllocationPause pause;
  const auto file = open(path_of(upload), SQLITE_OPEN_READWRITE);
  return file ? done((*file)->sync()) : file.error();
}

Result<std::string> MachineAttachmentFiles::read_upload(const server::UploadName& upload, std::uint64_t offset,
                                                        std::size_t bytes) {
  const testing::AllocationPause pause;
  return read(path_of(upload), offset, bytes);
}

Result<void> MachineAttachmentFiles::publish(const server::UploadName& upload) {
  const testing::AllocationPause pause;
  if (machine_.files().find(path_of(upload))) return done(machine_.rename(path_of(upload), path_of(upload.attachment)));
  // The rename of before is durable already.
  const auto published = published_size(upload.attachment);
  if (!published) return published.error();
  return *published ? Result<void>() : Error{Errc::storage_failed, {}};
}

Result<void> MachineAttachmentFiles::remove_upload(const server::UploadName& upload) {
  const testing::AllocationPause pause;
  const int code = machine_.remove(path_of(upload), false);
  return code == SQLITE_IOERR_DELETE_NOENT ? Result<void>() : done(code);
}

Result<std::optional<std::uint64_t>> MachineAttachmentFiles::published_size(const core::AttachmentId& id) {
  const testing::AllocationPause pause;
  return size_of(path_of(id));
}

Result<std::string> MachineAttachmentFiles::read_published(const core::AttachmentId& id, std::uint64_t offset,
                                                           std::size_t bytes) {
  const testing::AllocationPause pause;
  return read(path_of(id), offset, bytes);
}

}  // namespace fieldsync::sim
