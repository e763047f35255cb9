#include "store/files/posix_attachment_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace fieldsync::server {
namespace {

// Of the call that has just failed.
Error last_error() {
  const bool is_full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
  return {is_full ? Errc::storage_full : Errc::storage_failed, {}};
}

// An open file, closed when it goes. What is written is made sure of by sync(), so that nothing
// is learnt from closing.
class File {
 public:
  File(const std::filesystem::path& path, int flags) : file_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (file_ >= 0) ::close(file_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] bool is_open() const { return file_ >= 0; }
  [[nodiscard]] int number() const { return file_; }

 private:
  int file_;
};

Result<void> sync(const std::filesystem::path& path, int flags) {
  const File file(path, flags);
  if (!file.is_open() || ::fsync(file.number()) != 0) return last_error();
  return {};
}

Result<void> sync_folder(const std::filesystem::path& path) { return sync(path, O_RDONLY | O_DIRECTORY); }

// The name of a new folder is durable where this succeeds.
Result<void> make_folder(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return sync_folder(path.parent_path());
  if (errno != EEXIST) return last_error();
  return {};
}

Result<std::optional<std::uint64_t>> size_of(const std::filesystem::path& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) return std::optional(static_cast<std::uint64_t>(found.st_size));
  if (errno == ENOENT) return std::optional<std::uint64_t>();
  return last_error();
}

Result<void> write_all(int file, std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? last_error() : Error{Errc::storage_full, {}};
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<std::string> read(const std::filesystem::path& path, std::uint64_t offset, std::size_t bytes) {
  const File file(path, O_RDONLY);
  if (!file.is_open()) return last_error();
  std::string content(bytes, '\0');
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t count = ::pread(file.number(), content.data() + got, bytes - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return last_error();
    if (count == 0) break;
    got += static_cast<std::size_t>(count);
  }
  content.resize(got);
  return content;
}

}  // namespace

Result<std::unique_ptr<PosixAttachmentFiles>> PosixAttachmentFiles::open(const std::filesystem::path& folder) {
  std::unique_ptr<PosixAttachmentFiles> files(new PosixAttachmentFiles(folder));
  auto made = make_folder(folder);
  if (made) made = make_folder(files->uploads());
  if (!made) return Error{made.error().code, "The folder " + folder.string() + " cannot be made."};
  return files;
}

Result<std::optional<std::uint64_t>> PosixAttachmentFiles::upload_size(const UploadName& upload) {
  return size_of(path_of(upload));
}

Result<void> PosixAttachmentFiles::write_upload(const UploadName& upload, std::uint64_t offset,
                                                std::string_view bytes) {
  const File file(path_of(upload), O_CREAT | O_WRONLY | O_NOFOLLOW);
  struct stat found {};
  if (!file.is_open() || ::fstat(file.number(), &found) != 0) return last_error();
  const auto size = static_cast<std::uint64_t>(found.st_size);
  if (size < offset) return Error{Errc::storage_failed, {}};
  if (size > offset && ::ftruncate(file.number(), static_cast<off_t>(offset)) != 0) return last_error();
  return write_all(file.number(), offset, bytes);
}

Result<void> PosixAttachmentFiles::sync_upload(const UploadName& upload) {
  auto synced = sync(path_of(upload), O_WRONLY);
  // Its name too, which is new at the first time.
  return synced ? sync_folder(uploads()) : synced;
}

Result<std::string> PosixAttachmentFiles::read_upload(const UploadName& upload, std::uint64_t offset,
                                                      std::size_t bytes) {
  return read(path_of(upload), offset, bytes);
}

Result<void> PosixAttachmentFiles::publish(const UploadName& upload) {
  const auto published = path_of(upload.attachment);
  if (::rename(path_of(upload).c_str(), published.c_str()) != 0) {
    if (errno != ENOENT) return last_error();
    const auto size = size_of(published);
    if (!size || !*size) return size ? Error{Errc::storage_failed, {}} : size.error();
  }
  auto synced = sync_folder(folder_);
  return synced ? sync_folder(uploads()) : synced;
}

Result<void> PosixAttachmentFiles::remove_upload(const UploadName& upload) {
  if (::unlink(path_of(upload).c_str()) != 0 && errno != ENOENT) return last_error();
  return {};
}

Result<std::optional<std::uint64_t>> PosixAttachmentFiles::published_size(const core::AttachmentId& id) {
  return size_of(path_of(id));
}

Result<std::string> PosixAttachmentFiles::read_published(const core::AttachmentId& id, std::uint64_t offset,
                                                         std::size_t bytes) {
  return read(path_of(id), offset, bytes);
}

}  // namespace fieldsync::server
