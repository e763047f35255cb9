#include "sim/disk/open_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace fieldsync::sim {

OpenFile::~OpenFile() {
  locks_->release(handle_);
  if (boot_ == machine_.boots_) machine_.close(file_);
}

int OpenFile::read(char* bytes, std::size_t count, std::size_t at) {
  if (is_dead()) return SQLITE_IOERR_READ;
  // As SQLite's own file layer has it where the operating system says EIO.
  if (const int failed = machine_.look(Operation::read, SQLITE_IOERR_CORRUPTFS); failed != SQLITE_OK) {
    last_error_ = EIO;
    return failed;
  }
  const std::string& content = machine_.files_.content(file_);
  const std::size_t there = at < content.size() ? std::min(count, content.size() - at) : 0;
  std::memcpy(bytes, content.data() + std::min(at, content.size()), there);
  std::memset(bytes + there, 0, count - there);
  if (there == count) return SQLITE_OK;
  last_error_ = 0;
  return SQLITE_IOERR_SHORT_READ;
}

int OpenFile::write(std::string_view bytes, std::size_t at) {
  if (is_dead()) return SQLITE_IOERR_WRITE;
  DiskChange write{.kind = DiskChange::Kind::write, .file = file_, .at = at, .bytes = std::string(bytes)};
  const std::size_t room = machine_.room_for(write);
  const bool full = room < bytes.size();
  write.bytes.resize(room);
  const int code = machine_.change(Operation::write, write, SQLITE_IOERR_WRITE);
  if (code != SQLITE_OK || !full) return code;
  ++machine_.fault_counts_.disk_full;
  return SQLITE_FULL;
}

int OpenFile::truncate(std::size_t size) {
  if (is_dead()) return SQLITE_IOERR_TRUNCATE;
  const DiskChange truncate{.kind = DiskChange::Kind::truncate, .file = file_, .at = size};
  return machine_.change(Operation::truncate, truncate, SQLITE_IOERR_TRUNCATE);
}

int OpenFile::sync() {
  if (is_dead()) return SQLITE_IOERR_FSYNC;
  return machine_.change(Operation::sync, {.kind = DiskChange::Kind::sync, .file = file_}, SQLITE_IOERR_FSYNC);
}

int OpenFile::size(std::size_t& answer) {
  if (is_dead()) return SQLITE_IOERR_FSTAT;
  answer = machine_.files_.content(file_).size();
  return machine_.look(Operation::size, SQLITE_IOERR_FSTAT);
}

int OpenFile::lock(int level) {
  if (is_dead()) return SQLITE_IOERR_LOCK;
  return locks_->lock(handle_, level) ? SQLITE_OK : SQLITE_BUSY;
}

int OpenFile::unlock(int level) {
  if (is_dead()) return SQLITE_IOERR_UNLOCK;
  locks_->unlock(handle_, level);
  return SQLITE_OK;
}

int OpenFile::check_reserved(bool& answer) {
  if (is_dead()) return SQLITE_IOERR_CHECKRESERVEDLOCK;
  answer = locks_->is_reserved();
  return SQLITE_OK;
}

int OpenFile::map_memory(std::size_t region, std::size_t bytes, bool make, void volatile*& memory) {
  if (is_dead()) return SQLITE_IOERR_SHMMAP;
  if (const int failed = machine_.look(Operation::map_memory, SQLITE_IOERR_SHMMAP); failed != SQLITE_OK) return failed;
  memory = locks_->map_region(handle_, region, bytes, make);
  return SQLITE_OK;
}

int OpenFile::lock_memory(int first, int count, int flags) {
  if (is_dead()) return SQLITE_IOERR_SHMLOCK;
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    locks_->unlock_slots(handle_, first, count);
    return SQLITE_OK;
  }
  return locks_->lock_slots(handle_, first, count, (flags & SQLITE_SHM_EXCLUSIVE) != 0) ? SQLITE_OK : SQLITE_BUSY;
}

int OpenFile::unmap_memory() {
  locks_->unmap(handle_);
  return SQLITE_OK;
}

}  // namespace fieldsync::sim
