// open_file.h: what SQLite does with an open file, as sqlite3_io_methods asks.
//
// Every function answers with SQLite's result code.
#pragma once

#include <memory>
#include <string_view>

#include "sim/disk/machine.h"

namespace fieldsync::sim {

class OpenFile {
 public:
  OpenFile(Machine& machine, FileId file, HandleId handle, std::shared_ptr<FileLocks> locks)
      : machine_(machine), file_(file), handle_(handle), locks_(std::move(locks)), boot_(machine.boots_) {}
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  // Zeros behind the end of the file: SQLITE_IOERR_SHORT_READ.
  [[nodiscard]] int read(char* bytes, std::size_t count, std::size_t at);
  [[nodiscard]] int write(std::string_view bytes, std::size_t at);
  [[nodiscard]] int truncate(std::size_t size);
  [[nodiscard]] int sync();
  [[nodiscard]] int size(std::size_t& answer);

  // errno of the last read that failed, until one reaches the end of the file.
  [[nodiscard]] int last_error() const { return last_error_; }

  [[nodiscard]] int lock(int level);
  [[nodiscard]] int unlock(int level);
  [[nodiscard]] int check_reserved(bool& answer);

  [[nodiscard]] int map_memory(std::size_t region, std::size_t bytes, bool make, void volatile*& memory);
  [[nodiscard]] int lock_memory(int first, int count, int flags);
  [[nodiscard]] int unmap_memory();

 private:
  // The machine lost its power, or its disk, since this file was opened.
  [[nodiscard]] bool is_dead() const { return boot_ != machine_.boots_ || !machine_.running_; }

  Machine& machine_;
  FileId file_;
  HandleId handle_;
  std::shared_ptr<FileLocks> locks_;
  std::uint64_t boot_;
  int last_error_ = 0;
};

}  // namespace fieldsync::sim
