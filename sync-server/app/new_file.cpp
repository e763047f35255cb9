#include "app/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "app/configuration.h"

namespace fieldsync::server {

Result<NewFile> NewFile::make(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST)
    return Error{Errc::invalid_argument, "There is a file " + path.string() + " already."};
  if (file < 0) return Error{Errc::storage_failed, "The file " + path.string() + " cannot be made."};
  ::close(file);
  return NewFile(path);
}

NewFile::NewFile(NewFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}

NewFile::~NewFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<void> NewFile::fill(const std::string& content) {
  auto written = write_private_file(path_, content);
  if (written) keep();
  return written;
}

}  // namespace fieldsync::server
