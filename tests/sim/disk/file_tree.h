// file_tree.h: the files of one simulated machine, and what a power cut leaves.
//
// Programs see a write at once. The disk holds for sure only what was synced; a
// power cut keeps, loses or tears each unsynced sector on its own, whatever the
// order in which they were written. So it is with files that were made or removed
// while their folder was not synced.
//
// A value: a copy is a snapshot. Names are opaque; there are no subfolders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fieldsync::sim {

// Gives 64 random bits.
using Random = std::function<std::uint64_t()>;

// What a disk writes whole or tears.
inline constexpr std::size_t sector_bytes = 512;

// A file apart from its name: it lives on while it is open and has none.
enum class FileId : std::uint32_t {};

// One step that changes files. Replaying the steps gives the same files and ids.
struct DiskChange {
  enum class Kind : std::uint8_t { create, remove, rename, write, truncate, sync };
  Kind kind;
  FileId file{};       // write, truncate, sync
  std::string name{};  // create, remove, rename
  std::size_t at = 0;  // where to write, or the new size
  std::string bytes{};
  bool sync_folder = false;  // remove, rename: it is durable when this step returns
  std::string new_name{};    // rename: takes the place of what has it
};

// What became of unsynced sectors.
struct SectorCounts {
  std::uint64_t kept = 0;
  std::uint64_t lost = 0;
  std::uint64_t torn = 0;
};

class FileTree {
 public:
  [[nodiscard]] std::optional<FileId> find(const std::string& name) const;
  [[nodiscard]] const std::string& content(FileId file) const { return files_.at(file).current; }
  // What no power cut takes away; nullptr where the name itself may be gone after one.
  [[nodiscard]] const std::string* durable(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> names() const;
  // Of all files that have a name.
  [[nodiscard]] std::size_t bytes_used() const;
  // Of their names and contents.
  [[nodiscard]] std::uint64_t hash() const;

  // The sync of a new file makes its folder's changes durable too, which is what
  // SQLite does for its journals.
  void apply(const DiskChange& change);

  // The disk failed while it wrote: each unsynced sector reached it or not, and no
  // later sync tries again, as on Linux. Programs go on seeing what they wrote.
  SectorCounts fail_sync(FileId file, const Random& random);

  // What is there when the power is back.
  [[nodiscard]] FileTree after_power_cut(const Random& random, SectorCounts& counts) const;

  // As programs see it, on another disk: all of it written and synced.
  [[nodiscard]] FileTree copied() const;

  // Drops the content of files that have no name any more.
  void forget_unnamed(const std::function<bool(FileId)>& is_open);

 private:
  // A write, or a truncation where `bytes` is nothing.
  struct Unsynced {
    std::size_t at;
    std::optional<std::string> bytes;
  };
  struct File {
    std::string durable;
    std::vector<Unsynced> unsynced;  // oldest first
    std::string current;
  };
  // The name's new file, or its removal. A rename is both at once, as on every file system
  // of today.
  struct FolderChange {
    std::string name;
    std::optional<FileId> file;
    std::string former_name{};
  };
  using Folder = std::map<std::string, FileId>;

  void sync(FileId id);
  void sync_folder();
  static std::string surviving_content(const File& file, const Random& random, SectorCounts& counts);
  static void change_folder(Folder& folder, const FolderChange& change);

  std::map<FileId, File> files_;
  Folder folder_;
  Folder durable_folder_;
  std::vector<FolderChange> unsynced_folder_;
  std::uint32_t next_file_ = 1;
};

}  // namespace fieldsync::sim
