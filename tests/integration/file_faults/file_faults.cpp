// file_faults.cpp: a library that is loaded before a program (LD_PRELOAD) and makes the
// n-th operation on the files of one folder fail with EIO, once or for ever, or the disk
// be full from there on.
//
//   FIELDSYNC_FAULT_FOLDER   only files in it or below it
//   FIELDSYNC_FAULT_NTH      which operation fails; 1 is the first, 0 none
//   FIELDSYNC_FAULT_LASTING  "once", "for-ever" or "full": what writes fails with ENOSPC
//   FIELDSYNC_FAULT_TRACE    a file that gets a line with the name of each operation
//
// It stands between the program with all its libraries and libc, as man 8 ld.so has it; what
// libc calls inside of itself it does not see. A file whose closing fails is closed, as on
// Linux (man 2 close). A lock is given again after it failed once: locks are not on the disk.

// The checked variants of these functions would stand where they are to be defined.
#undef _FORTIFY_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

struct Settings {
  const char* folder = std::getenv("FIELDSYNC_FAULT_FOLDER");
  const char* trace = std::getenv("FIELDSYNC_FAULT_TRACE");
  std::uint64_t nth = std::strtoull(text("FIELDSYNC_FAULT_NTH"), nullptr, 10);
  std::string_view lasting = text("FIELDSYNC_FAULT_LASTING");

  static const char* text(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  }
};

// A sanitizer calls before there is an environment.
const Settings& settings() {
  static Settings read;
  if (read.folder == nullptr) read = Settings();
  return read;
}

constexpr int most_files = 1024;
std::array<std::atomic<bool>, most_files> is_ours{};
std::atomic<std::uint64_t> operations = 0;

bool is_in_folder(const char* path) {
  const char* folder = settings().folder;
  if (folder == nullptr || path == nullptr) return false;
  const std::size_t length = std::strlen(folder);
  return std::strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

bool is_in_folder(int file) { return file >= 0 && file < most_files && is_ours[static_cast<std::size_t>(file)]; }

void tell(std::string_view operation) {
  if (settings().trace == nullptr) return;
  std::array<char, 64> line{};
  const int length =
      std::snprintf(line.data(), line.size(), "%.*s\n", static_cast<int>(operation.size()), operation.data());
  const auto file = static_cast<int>(
      syscall(SYS_openat, AT_FDCWD, settings().trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  syscall(SYS_write, file, line.data(), length);
  syscall(SYS_close, file);
}

// `of` is a path or a file.
template <class Of>
bool fails(std::string_view operation, Of of) {
  if (!is_in_folder(of)) return false;
  tell(operation);
  const std::uint64_t count = ++operations;
  const bool is_lock = operation == "fcntl" || operation == "flock";
  const bool writes = operation == "write" || operation == "writev" || operation == "pwrite" || operation == "mkdir";
  const bool is_it = count == settings().nth;
  const bool follows = settings().nth > 0 && count > settings().nth;
  const bool is_full = settings().lasting == "full" && writes && (is_it || follows);
  const bool is_broken =
      settings().lasting != "full" && (is_it || (settings().lasting == "for-ever" && follows && !is_lock));
  if (is_full) errno = ENOSPC;
  if (is_broken) errno = EIO;
  return is_full || is_broken;
}

int opened(int file, const char* path) {
  if (file >= 0 && file < most_files) is_ours[static_cast<std::size_t>(file)] = is_in_folder(path);
  return file;
}

FILE* opened(FILE* file, const char* path) {
  if (file != nullptr) opened(fileno(file), path);
  return file;
}

// libc's own.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// A function that takes `of` first and says -1 where it fails.
template <class Return, class Of, class... Rest>
Return unless_failed(const char* name, Of of, Rest... rest) {
  return fails(name, of) ? Return(-1) : next<Return(Of, Rest...)>(name)(of, rest...);
}

}  // namespace

// Each under both of its names: libraries are compiled for files of 64 bits.
#define FIELDSYNC_ALIAS(NAME) __attribute__((alias(#NAME)))

#pragma GCC visibility push(default)
extern "C" {

int open(const char* path, int flags, ...) {
  auto* real = next<int(const char*, int, ...)>("open");
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  return fails("open", path) ? -1 : opened(real(path, flags, mode), path);
}
int open64(const char* path, int flags, ...) FIELDSYNC_ALIAS(open);

FILE* fopen(const char* path, const char* mode) {
  auto* real = next<FILE*(const char*, const char*)>("fopen");
  return fails("fopen", path) ? nullptr : opened(real(path, mode), path);
}
FILE* fopen64(const char* path, const char* mode) FIELDSYNC_ALIAS(fopen);

int close(int file) {
  auto* real = next<int(int)>("close");
  const bool failing = fails("close", file);
  if (file >= 0 && file < most_files) is_ours[static_cast<std::size_t>(file)] = false;
  const int closed = real(file);
  if (failing) errno = EIO;
  return failing ? -1 : closed;
}

int fclose(FILE* stream) {
  auto* real = next<int(FILE*)>("fclose");
  const int file = fileno(stream);
  const bool failing = fails("fclose", file);
  if (file >= 0 && file < most_files) is_ours[static_cast<std::size_t>(file)] = false;
  const int closed = real(stream);
  if (failing) errno = EIO;
  return failing ? EOF : closed;
}

ssize_t read(int file, void* to, size_t size) { return unless_failed<ssize_t>("read", file, to, size); }
ssize_t write(int file, const void* from, size_t size) { return unless_failed<ssize_t>("write", file, from, size); }
ssize_t writev(int file, const iovec* from, int count) { return unless_failed<ssize_t>("writev", file, from, count); }
ssize_t pread(int file, void* to, size_t size, off_t at) { return unless_failed<ssize_t>("pread", file, to, size, at); }
ssize_t pread64(int file, void* to, size_t size, off_t at) FIELDSYNC_ALIAS(pread);
ssize_t pwrite(int file, const void* from, size_t size, off_t at) {
  return unless_failed<ssize_t>("pwrite", file, from, size, at);
}
ssize_t pwrite64(int file, const void* from, size_t size, off_t at) FIELDSYNC_ALIAS(pwrite);
off_t lseek(int file, off_t to, int whence) noexcept { return unless_failed<off_t>("lseek", file, to, whence); }
off_t lseek64(int file, off_t to, int whence) noexcept FIELDSYNC_ALIAS(lseek);
int fsync(int file) { return unless_failed<int>("fsync", file); }
int fdatasync(int file) { return unless_failed<int>("fdatasync", file); }
int ftruncate(int file, off_t size) noexcept { return unless_failed<int>("ftruncate", file, size); }
int ftruncate64(int file, off_t size) noexcept FIELDSYNC_ALIAS(ftruncate);
int flock(int file, int operation) noexcept { return unless_failed<int>("flock", file, operation); }
int fchmod(int file, mode_t mode) noexcept { return unless_failed<int>("fchmod", file, mode); }

int fcntl(int file, int command, ...) {
  auto* real = next<int(int, int, ...)>("fcntl");
  va_list rest;
  va_start(rest, command);
  void* argument = va_arg(rest, void*);
  va_end(rest);
  return fails("fcntl", file) ? -1 : real(file, command, argument);
}
int fcntl64(int file, int command, ...) FIELDSYNC_ALIAS(fcntl);

void* mmap(void* at, size_t size, int protection, int flags, int file, off_t from) noexcept {
  auto* real = next<void*(void*, size_t, int, int, int, off_t)>("mmap");
  return fails("mmap", file) ? MAP_FAILED : real(at, size, protection, flags, file, from);
}
void* mmap64(void* at, size_t size, int protection, int flags, int file, off_t from) noexcept FIELDSYNC_ALIAS(mmap);

int stat(const char* path, struct stat* found) noexcept { return unless_failed<int>("stat", path, found); }
int stat64(const char* path, struct stat64* found) noexcept FIELDSYNC_ALIAS(stat);
int lstat(const char* path, struct stat* found) noexcept { return unless_failed<int>("lstat", path, found); }
int lstat64(const char* path, struct stat64* found) noexcept FIELDSYNC_ALIAS(lstat);
int fstat(int file, struct stat* found) noexcept { return unless_failed<int>("fstat", file, found); }
int fstat64(int file, struct stat64* found) noexcept FIELDSYNC_ALIAS(fstat);
int access(const char* path, int mode) noexcept { return unless_failed<int>("access", path, mode); }
ssize_t readlink(const char* path, char* to, size_t size) noexcept {
  return unless_failed<ssize_t>("readlink", path, to, size);
}
int mkdir(const char* path, mode_t mode) noexcept { return unless_failed<int>("mkdir", path, mode); }
int unlink(const char* path) noexcept { return unless_failed<int>("unlink", path); }
int rename(const char* from, const char* to) noexcept { return unless_failed<int>("rename", from, to); }
int fchmodat(int folder, const char* path, mode_t mode, int flags) noexcept {
  auto* real = next<int(int, const char*, mode_t, int)>("fchmodat");
  return fails("fchmodat", path) ? -1 : real(folder, path, mode, flags);
}

}  // extern "C"
#pragma GCC visibility pop
