// machine.h: one simulated machine's disk: its files, its faults, its power.
//
// A test sets faults and cuts the power; SQLite works on the files through
// simulated_vfs.h. After a power cut every open file fails at each call until it
// is closed, and nothing opens before start().
//
// Threads  As the SimulatedVfs that made it: SQLite may call from any thread, the
//          functions for tests are called while none of the machine's files is in use.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/disk/file_locks.h"
#include "sim/disk/file_tree.h"

namespace fieldsync::sim {

enum class Operation : std::uint8_t {
  open,
  read,
  size,
  exists,
  map_memory,
  create,
  write,
  truncate,
  sync,
  remove,
  rename
};

// Which operations a count or a fault speaks of.
enum class Among : std::uint8_t {
  writes,      // write, truncate
  syncs,       // sync
  changes,     // create, write, truncate, sync, remove, rename
  everything,  // those that only read as well
};

struct Fault {
  enum class Effect : std::uint8_t { io_error_once, io_error_for_ever, power_cut };
  Effect effect;
  Among among;
  std::uint64_t nth;  // from now on, the first is 1
};

// How often what happened, so that a test can tell that it was hit at all.
struct FaultCounts {
  std::uint64_t io_errors = 0;
  std::uint64_t disk_full = 0;
  std::uint64_t power_cuts = 0;
  SectorCounts sectors;  // unsynced ones, at power cuts and failed syncs
};

class OpenFile;

class Machine {
 public:
  // `folder`: the names of its files begin with this and a slash.
  Machine(std::string folder, Random random) : folder_(std::move(folder)), random_(std::move(random)) {}

  // --- for tests

  [[nodiscard]] const std::string& folder() const { return folder_; }

  void inject(const Fault& fault);
  // A write beyond this many bytes in all files finds the disk full.
  void set_capacity(std::optional<std::size_t> bytes) { capacity_ = bytes; }
  // No faults any more, and room enough. Counts stay.
  void clear_faults();
  // Operations so far.
  [[nodiscard]] std::uint64_t count(Among among) const { return counts_[static_cast<std::size_t>(among)]; }
  [[nodiscard]] const FaultCounts& fault_counts() const { return fault_counts_; }

  void cut_power();
  void start() { running_ = true; }
  [[nodiscard]] bool is_running() const { return running_; }

  // The programs end, the power stays: files that are open fail from then on.
  void kill_programs() { lose_handles(); }

  // The files with what is not synced. To restore is to be given another disk:
  // files that are open fail from then on.
  [[nodiscard]] const FileTree& files() const { return files_; }
  void restore(FileTree files);

  // Who is told every later change, after it, and every restore().
  struct Watcher {
    std::function<void(const DiskChange&)> changed = [](const DiskChange&) {};
    std::function<void()> restored = [] {};
  };
  void watch(Watcher watcher) { watcher_ = std::move(watcher); }

  // --- for the VFS; int: SQLite's result code

  [[nodiscard]] int open(const std::string& name, int flags, std::unique_ptr<OpenFile>& opened);
  [[nodiscard]] int remove(const std::string& name, bool sync_folder);
  [[nodiscard]] int exists(const std::string& name, bool& answer);
  // Durable when it returns. SQLITE_CANTOPEN: there is no such file.
  [[nodiscard]] int rename(const std::string& from, const std::string& to);

 private:
  friend class OpenFile;
  enum class Verdict : std::uint8_t { go_on, fail, cut_power };
  struct ArmedFault {
    Fault fault;
    std::uint64_t at;  // the operation's number among its kind
  };

  // Counts the operation and says what becomes of it.
  [[nodiscard]] Verdict next(Operation operation);
  // For an operation that changes nothing.
  [[nodiscard]] int look(Operation operation, int error);
  [[nodiscard]] int change(Operation operation, const DiskChange& change, int error);
  [[nodiscard]] std::size_t room_for(const DiskChange& write) const;
  [[nodiscard]] std::shared_ptr<FileLocks> locks_of(FileId file);
  void lose_handles();
  void close(FileId file);

  std::string folder_;
  Random random_;
  FileTree files_;
  bool running_ = true;
  std::uint64_t boots_ = 0;  // handles of an earlier one are dead
  std::uint64_t next_handle_ = 1;
  std::map<FileId, std::shared_ptr<FileLocks>> locks_;
  std::map<FileId, int> open_counts_;
  std::vector<ArmedFault> faults_;
  std::optional<std::size_t> capacity_;
  std::array<std::uint64_t, 4> counts_{};
  FaultCounts fault_counts_;
  Watcher watcher_;
};

}  // namespace fieldsync::sim
