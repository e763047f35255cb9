// new_file.h: a file that a command writes for an operator, where there was none. Only its owner may read it.
#pragma once

#include <filesystem>
#include <string>

#include "core/result.h"

namespace fieldsync::server {

class NewFile {
 public:
  // Makes it empty. invalid_argument: there is one already. storage_failed: it cannot be made.
  [[nodiscard]] static Result<NewFile> make(const std::filesystem::path& path);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  // Takes it away where it was neither filled nor kept.
  ~NewFile();

  // See write_private_file.
  [[nodiscard]] Result<void> fill(const std::string& content);
  void keep() { path_.clear(); }

 private:
  explicit NewFile(const std::filesystem::path& path) : path_(path) {}

  std::filesystem::path path_;  // empty: it stays
};

}  // namespace fieldsync::server
