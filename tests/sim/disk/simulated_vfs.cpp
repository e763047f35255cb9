#include "sim/disk/simulated_vfs.h"

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <vector>

#include "sim/disk/open_file.h"
#include "support/allocation_pause.h"

namespace fieldsync::sim {

namespace {

// Days from SQLite's beginning of time to 1970, in milliseconds.
constexpr std::int64_t julian_1970_ms = 210'866'760'000'000;
constexpr int path_bytes_max = 512;

// What a call of SQLite holds while it is here.
struct Call {
  explicit Call(std::mutex& mutex) : lock(mutex) {}
  testing::AllocationPause pause;
  std::lock_guard<std::mutex> lock;
};

// Settings that connections cannot change.
struct Forced {
  std::optional<int> checkpoint_pages;
  std::string synchronous;
  bool applying = false;
};

// What SQLite allocates for an open file.
struct Handle {
  sqlite3_file base;
  OpenFile* file;
  std::mutex* mutex;
  const Forced* forced;
  sqlite3* database;  // set where something is forced
};

// Calls `body` with the file behind `base`, under the VFS's lock.
template <typename Body>
int with_file(sqlite3_file* base, const Body& body) {
  const Handle& handle = *reinterpret_cast<Handle*>(base);
  const Call call(*handle.mutex);
  return body(*handle.file);
}

int close_file(sqlite3_file* base) {
  Handle& handle = *reinterpret_cast<Handle*>(base);
  const Call call(*handle.mutex);
  delete handle.file;
  base->pMethods = nullptr;
  return SQLITE_OK;
}

int read_file(sqlite3_file* base, void* bytes, int count, sqlite3_int64 at) {
  return with_file(base, [&](OpenFile& file) {
    return file.read(static_cast<char*>(bytes), static_cast<std::size_t>(count), static_cast<std::size_t>(at));
  });
}

int write_file(sqlite3_file* base, const void* bytes, int count, sqlite3_int64 at) {
  return with_file(base, [&](OpenFile& file) {
    return file.write({static_cast<const char*>(bytes), static_cast<std::size_t>(count)}, static_cast<std::size_t>(at));
  });
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  return with_file(base, [&](OpenFile& file) { return file.truncate(static_cast<std::size_t>(size)); });
}

int sync_file(sqlite3_file* base, int) {
  return with_file(base, [](OpenFile& file) { return file.sync(); });
}

int size_of_file(sqlite3_file* base, sqlite3_int64* size) {
  return with_file(base, [&](OpenFile& file) {
    std::size_t answer = 0;
    const int code = file.size(answer);
    *size = static_cast<sqlite3_int64>(answer);
    return code;
  });
}

int lock_file(sqlite3_file* base, int level) {
  return with_file(base, [&](OpenFile& file) { return file.lock(level); });
}

int unlock_file(sqlite3_file* base, int level) {
  return with_file(base, [&](OpenFile& file) { return file.unlock(level); });
}

int check_reserved(sqlite3_file* base, int* answer) {
  return with_file(base, [&](OpenFile& file) {
    bool reserved = false;
    const int code = file.check_reserved(reserved);
    *answer = reserved ? 1 : 0;
    return code;
  });
}

// SQLITE_OK for a PRAGMA: it was seen to here, and SQLite does nothing.
int control_file(sqlite3_file* base, int operation, void* argument) {
  const Handle& handle = *reinterpret_cast<Handle*>(base);
  if (operation == SQLITE_FCNTL_LAST_ERRNO) {
    *static_cast<int*>(argument) = handle.file->last_error();
    return SQLITE_OK;
  }
  if (operation != SQLITE_FCNTL_PRAGMA || handle.database == nullptr || handle.forced->applying) return SQLITE_NOTFOUND;
  const char* const* words = static_cast<char**>(argument);
  const std::string_view name = words[1];
  const bool sets = words[2] != nullptr;
  if (handle.forced->checkpoint_pages) {
    // SQLite's own default is set after the connection was handed to prepare_connection.
    sqlite3_wal_autocheckpoint(handle.database, *handle.forced->checkpoint_pages);
    if (sets && name == "wal_autocheckpoint") return SQLITE_OK;
  }
  return sets && name == "synchronous" && !handle.forced->synchronous.empty() ? SQLITE_OK : SQLITE_NOTFOUND;
}

// As SQLite finds them on Linux.
int sector_size(sqlite3_file*) { return 4096; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map_memory(sqlite3_file* base, int region, int bytes, int make, void volatile** memory) {
  return with_file(base, [&](OpenFile& file) {
    *memory = nullptr;
    return file.map_memory(static_cast<std::size_t>(region), static_cast<std::size_t>(bytes), make != 0, *memory);
  });
}

int lock_memory(sqlite3_file* base, int first, int count, int flags) {
  return with_file(base, [&](OpenFile& file) { return file.lock_memory(first, count, flags); });
}

void memory_barrier(sqlite3_file*) { std::atomic_thread_fence(std::memory_order_seq_cst); }

int unmap_memory(sqlite3_file* base, int) {
  return with_file(base, [](OpenFile& file) { return file.unmap_memory(); });
}

const sqlite3_io_methods& file_methods() {
  static const sqlite3_io_methods methods = [] {
    sqlite3_io_methods table{};
    table.iVersion = 2;  // with shared memory
    table.xClose = close_file;
    table.xRead = read_file;
    table.xWrite = write_file;
    table.xTruncate = truncate_file;
    table.xSync = sync_file;
    table.xFileSize = size_of_file;
    table.xLock = lock_file;
    table.xUnlock = unlock_file;
    table.xCheckReservedLock = check_reserved;
    table.xFileControl = control_file;
    table.xSectorSize = sector_size;
    table.xDeviceCharacteristics = characteristics;
    table.xShmMap = map_memory;
    table.xShmLock = lock_memory;
    table.xShmBarrier = memory_barrier;
    table.xShmUnmap = unmap_memory;
    return table;
  }();
  return methods;
}

}  // namespace

struct SimulatedVfs::Implementation {
  Random random;
  Clock clock;
  sqlite3_vfs vfs{};
  std::mutex mutex;  // held by every call of SQLite
  Forced forced;
  std::vector<std::unique_ptr<Machine>> machines;

  [[nodiscard]] Machine* machine_of(std::string_view name) const {
    for (const auto& machine : machines) {
      const std::string& folder = machine->folder();
      if (name.starts_with(folder) && name.size() > folder.size() && name[folder.size()] == '/') return machine.get();
    }
    return nullptr;
  }

  static Implementation& of(sqlite3_vfs* vfs) { return *static_cast<Implementation*>(vfs->pAppData); }

  // SQLite calls this for each new connection.
  static int prepare_connection(sqlite3* database, char**, const sqlite3_api_routines*) {
    Handle* handle = nullptr;
    if (sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&handle)) != SQLITE_OK)
      return SQLITE_OK;
    if (handle == nullptr || handle->base.pMethods != &file_methods()) return SQLITE_OK;  // in memory
    handle->database = database;
    Forced& forced = of(sqlite3_vfs_find(nullptr)).forced;
    if (forced.synchronous.empty()) return SQLITE_OK;
    forced.applying = true;
    const int code =
        sqlite3_exec(database, ("PRAGMA synchronous=" + forced.synchronous).c_str(), nullptr, nullptr, nullptr);
    forced.applying = false;
    return code;
  }

  // What sqlite3_vfs asks for.
  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* base, int flags, int* flags_out) {
    Implementation& self = of(vfs);
    const Call call(self.mutex);
    base->pMethods = nullptr;
    Machine* machine = name == nullptr ? nullptr : self.machine_of(name);
    if (machine == nullptr) return SQLITE_CANTOPEN;
    std::unique_ptr<OpenFile> opened;
    if (const int failed = machine->open(name, flags, opened); failed != SQLITE_OK) return failed;
    Handle& handle = *reinterpret_cast<Handle*>(base);
    handle.file = opened.release();
    handle.mutex = &self.mutex;
    handle.forced = &self.forced;
    handle.database = nullptr;
    base->pMethods = &file_methods();
    if (flags_out != nullptr) *flags_out = flags;
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    Implementation& self = of(vfs);
    const Call call(self.mutex);
    Machine* machine = self.machine_of(name);
    return machine == nullptr ? SQLITE_IOERR_DELETE_NOENT : machine->remove(name, sync_folder != 0);
  }

  static int access(sqlite3_vfs* vfs, const char* name, int, int* answer) {
    Implementation& self = of(vfs);
    const Call call(self.mutex);
    *answer = 0;
    Machine* machine = self.machine_of(name);
    if (machine == nullptr) return SQLITE_OK;
    bool exists = false;
    const int code = machine->exists(name, exists);
    *answer = exists ? 1 : 0;
    return code;
  }

  static int full_name(sqlite3_vfs*, const char* name, int bytes, char* full) {
    const std::size_t length = std::strlen(name) + 1;
    if (length > static_cast<std::size_t>(bytes)) return SQLITE_CANTOPEN;
    std::memcpy(full, name, length);
    return SQLITE_OK;
  }

  static int randomness(sqlite3_vfs* vfs, int count, char* bytes) {
    Implementation& self = of(vfs);
    const Call call(self.mutex);
    for (int i = 0; i < count; ++i) bytes[i] = static_cast<char>(self.random() & 0xFF);
    return count;
  }

  // Whoever holds what SQLite waits for is in this very thread, or soon done.
  static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }

  static int time_ms(sqlite3_vfs* vfs, sqlite3_int64* julian_ms) {
    *julian_ms = of(vfs).clock() + julian_1970_ms;
    return SQLITE_OK;
  }

  static int time_days(sqlite3_vfs* vfs, double* julian_days) {
    sqlite3_int64 ms = 0;
    const int code = time_ms(vfs, &ms);
    *julian_days = static_cast<double>(ms) / 86'400'000.0;
    return code;
  }

  static int last_error(sqlite3_vfs*, int, char*) { return 0; }
};

SimulatedVfs::SimulatedVfs(Random random, Clock clock) : implementation_(std::make_unique<Implementation>()) {
  implementation_->random = std::move(random);
  implementation_->clock = std::move(clock);
  sqlite3_vfs& vfs = implementation_->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = sizeof(Handle);
  vfs.mxPathname = path_bytes_max;
  vfs.zName = "simulated";
  vfs.pAppData = implementation_.get();
  vfs.xOpen = Implementation::open;
  vfs.xDelete = Implementation::remove;
  vfs.xAccess = Implementation::access;
  vfs.xFullPathname = Implementation::full_name;
  vfs.xRandomness = Implementation::randomness;
  vfs.xSleep = Implementation::sleep;
  vfs.xCurrentTime = Implementation::time_days;
  vfs.xCurrentTimeInt64 = Implementation::time_ms;
  vfs.xGetLastError = Implementation::last_error;
  if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) throw std::runtime_error("SQLite refuses the simulated VFS");
  sqlite3_randomness(0, nullptr);
}

SimulatedVfs::~SimulatedVfs() {
  sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(Implementation::prepare_connection));
  sqlite3_vfs_unregister(&implementation_->vfs);
}

void SimulatedVfs::force_checkpoint_pages(int pages) {
  implementation_->forced.checkpoint_pages = pages;
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(Implementation::prepare_connection));
}

void SimulatedVfs::force_synchronous(const std::string& mode) {
  implementation_->forced.synchronous = mode;
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(Implementation::prepare_connection));
}

Machine& SimulatedVfs::add_machine(const std::string& folder) {
  const std::lock_guard lock(implementation_->mutex);
  implementation_->machines.push_back(std::make_unique<Machine>(folder, implementation_->random));
  return *implementation_->machines.back();
}

}  // namespace fieldsync::sim
