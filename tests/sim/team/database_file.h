// database_file.h: a store's file, read with plain SQL and none of the product's code.
#pragma once

#include <memory>
#include <string>
#include <vector>

struct sqlite3;

namespace fieldsync::team {

// Throws std::runtime_error where SQLite refuses.
class DatabaseFile {
 public:
  explicit DatabaseFile(const std::string& path);

  // Statements without results.
  void execute(const std::string& sql);
  // The rows' cells, each as its bytes; NULL is a word of its own.
  [[nodiscard]] std::vector<std::vector<std::string>> rows(const std::string& sql);

 private:
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> database_;
};

}  // namespace fieldsync::team
