#include "sim/disk/file_tree.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace fieldsync::sim {
namespace {

void put(std::string& content, std::size_t at, std::string_view bytes) {
  if (content.size() < at + bytes.size()) content.resize(at + bytes.size());
  std::memcpy(content.data() + at, bytes.data(), bytes.size());
}

enum class Fate : std::uint8_t { kept, lost, torn };

// Draws what happens to each sector. How likely what is differs from one power
// cut to the next, so that "all kept" and "all lost" happen too.
class Fates {
 public:
  explicit Fates(const Random& random) : random_(random) {
    static constexpr std::array<std::uint64_t, 5> kept_percents{0, 25, 50, 75, 100};
    static constexpr std::array<std::uint64_t, 3> torn_percents{0, 10, 50};
    kept_percent_ = kept_percents[random_() % kept_percents.size()];
    torn_percent_ = torn_percents[random_() % torn_percents.size()];
  }

  [[nodiscard]] bool keeps() { return random_() % 100 < kept_percent_; }
  [[nodiscard]] Fate next() {
    if (random_() % 100 < torn_percent_) return Fate::torn;
    return keeps() ? Fate::kept : Fate::lost;
  }
  [[nodiscard]] std::size_t torn_at() { return 1 + random_() % (sector_bytes - 1); }

 private:
  const Random& random_;
  std::uint64_t kept_percent_;
  std::uint64_t torn_percent_;
};

}  // namespace

std::optional<FileId> FileTree::find(const std::string& name) const {
  const auto found = folder_.find(name);
  return found == folder_.end() ? std::nullopt : std::optional(found->second);
}

const std::string* FileTree::durable(const std::string& name) const {
  const auto found = durable_folder_.find(name);
  const bool may_change =
      std::any_of(unsynced_folder_.begin(), unsynced_folder_.end(),
                  [&](const FolderChange& change) { return change.name == name || change.former_name == name; });
  if (found == durable_folder_.end() || may_change) return nullptr;
  const File& file = files_.at(found->second);
  return file.unsynced.empty() ? &file.durable : nullptr;
}

std::vector<std::string> FileTree::names() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : folder_) names.push_back(name);
  return names;
}

std::uint64_t FileTree::hash() const {
  std::uint64_t sum = 14695981039346656037u;
  const std::hash<std::string> hash_text;
  for (const auto& [name, file] : folder_)
    sum = (sum * 1099511628211u + hash_text(name)) * 1099511628211u + hash_text(content(file));
  return sum;
}

std::size_t FileTree::bytes_used() const {
  std::size_t sum = 0;
  for (const auto& [name, file] : folder_) sum += content(file).size();
  return sum;
}

void FileTree::change_folder(Folder& folder, const FolderChange& change) {
  if (change.file) {
    folder[change.name] = *change.file;
  } else {
    folder.erase(change.name);
  }
  if (!change.former_name.empty()) folder.erase(change.former_name);
}

void FileTree::apply(const DiskChange& change) {
  switch (change.kind) {
    case DiskChange::Kind::create: {
      const FileId file{next_file_++};
      files_.emplace(file, File{});
      unsynced_folder_.push_back({change.name, file});
      change_folder(folder_, unsynced_folder_.back());
      break;
    }
    case DiskChange::Kind::remove:
      unsynced_folder_.push_back({change.name, std::nullopt});
      change_folder(folder_, unsynced_folder_.back());
      if (change.sync_folder) sync_folder();
      break;
    case DiskChange::Kind::rename:
      unsynced_folder_.push_back({change.new_name, folder_.at(change.name), change.name});
      change_folder(folder_, unsynced_folder_.back());
      if (change.sync_folder) sync_folder();
      break;
    case DiskChange::Kind::write: {
      File& file = files_.at(change.file);
      put(file.current, change.at, change.bytes);
      file.unsynced.push_back({change.at, change.bytes});
      break;
    }
    case DiskChange::Kind::truncate: {
      File& file = files_.at(change.file);
      file.current.resize(change.at);
      file.unsynced.push_back({change.at, std::nullopt});
      break;
    }
    case DiskChange::Kind::sync: sync(change.file); break;
  }
}

void FileTree::sync(FileId id) {
  File& file = files_.at(id);
  for (const Unsynced& change : file.unsynced) {
    if (change.bytes) {
      put(file.durable, change.at, *change.bytes);
    } else {
      file.durable.resize(change.at);
    }
  }
  file.unsynced.clear();
  const bool is_new = std::any_of(unsynced_folder_.begin(), unsynced_folder_.end(),
                                  [&](const FolderChange& change) { return change.file == id; });
  if (is_new) sync_folder();
}

void FileTree::sync_folder() {
  durable_folder_ = folder_;
  unsynced_folder_.clear();
}

SectorCounts FileTree::fail_sync(FileId id, const Random& random) {
  File& file = files_.at(id);
  SectorCounts counts;
  file.durable = surviving_content(file, random, counts);
  file.unsynced.clear();
  return counts;
}

// A sector reaches the disk as it stood in memory at some moment: with all that
// was written to it until then, or with none of it.
std::string FileTree::surviving_content(const File& file, const Random& random, SectorCounts& counts) {
  Fates fates(random);
  std::string memory = file.durable;
  std::string disk = file.durable;
  for (const Unsynced& change : file.unsynced) {
    if (!change.bytes) {
      memory.resize(change.at);
      if (fates.keeps()) disk.resize(change.at);
      continue;
    }
    put(memory, change.at, *change.bytes);
    const std::size_t end = change.at + change.bytes->size();
    for (std::size_t at = change.at / sector_bytes * sector_bytes; at < end; at += sector_bytes) {
      const std::string_view sector = std::string_view(memory).substr(at, sector_bytes);
      switch (fates.next()) {
        case Fate::kept:
          put(disk, at, sector);
          ++counts.kept;
          break;
        case Fate::torn:
          disk.resize(std::max(disk.size(), at + sector.size()));
          put(disk, at, sector.substr(0, fates.torn_at()));
          ++counts.torn;
          break;
        case Fate::lost: ++counts.lost; break;
      }
    }
  }
  return disk;
}

FileTree FileTree::copied() const {
  FileTree copy = *this;
  for (auto& [id, file] : copy.files_) {
    file.durable = file.current;
    file.unsynced.clear();
  }
  copy.sync_folder();
  return copy;
}

FileTree FileTree::after_power_cut(const Random& random, SectorCounts& counts) const {
  FileTree after;
  after.folder_ = durable_folder_;
  Fates fates(random);
  for (const FolderChange& change : unsynced_folder_) {
    if (fates.keeps()) change_folder(after.folder_, change);
  }
  after.durable_folder_ = after.folder_;
  after.next_file_ = next_file_;
  for (const auto& [name, id] : after.folder_) {
    File& file = after.files_[id];
    file.durable = surviving_content(files_.at(id), random, counts);
    file.current = file.durable;
  }
  return after;
}

void FileTree::forget_unnamed(const std::function<bool(FileId)>& is_open) {
  const auto names = [](const Folder& folder, FileId id) {
    return std::any_of(folder.begin(), folder.end(), [&](const auto& entry) { return entry.second == id; });
  };
  const auto may_come_back = [&](FileId id) {
    return std::any_of(unsynced_folder_.begin(), unsynced_folder_.end(),
                       [&](const FolderChange& change) { return change.file == id; });
  };
  std::erase_if(files_, [&](const auto& entry) {
    const FileId id = entry.first;
    return !is_open(id) && !names(folder_, id) && !names(durable_folder_, id) && !may_come_back(id);
  });
}

}  // namespace fieldsync::sim
