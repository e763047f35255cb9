// simulated_vfs.h: SQLite on simulated machines. While it lives it is SQLite's
// default VFS, so the product's code runs on it as it is.
//
//   SimulatedVfs vfs(random, [&] { return world.now(); });
//   Machine& phone = vfs.add_machine("/sim/phone");
//   ... open /sim/phone/fieldsync.db with SQLite, in WAL mode or not ...
//   phone.inject({Fault::Effect::power_cut, Among::writes, 17});
//   ... until calls fail; then close what is open ...
//   phone.start();
//
// A machine's folder may be a real one, for what the product keeps beside SQLite
// (a lock file); the databases in it are in memory all the same.
//
// Threads  SQLite may call from any. One SimulatedVfs at a time in a process.
// Errors   A file of no machine does not open. Nor do temporary files: set
//          PRAGMA temp_store=MEMORY.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sim/disk/machine.h"

namespace fieldsync::sim {

// Milliseconds since 1970.
using Clock = std::function<std::int64_t()>;

class SimulatedVfs {
 public:
  // `random` decides what a power cut leaves, and SQLite's own random numbers,
  // which begin anew here. It is copied: let it refer to one generator.
  SimulatedVfs(Random random, Clock clock);
  // Every connection is closed by then.
  ~SimulatedVfs();
  SimulatedVfs(const SimulatedVfs&) = delete;
  SimulatedVfs& operator=(const SimulatedVfs&) = delete;

  // Lives as long as this. No machine's folder lies in another's.
  Machine& add_machine(const std::string& folder);

  // For every connection from now on, whatever PRAGMA it gives itself: the WAL is
  // checkpointed after this many pages; `mode` is NORMAL, FULL, ...
  void force_checkpoint_pages(int pages);
  void force_synchronous(const std::string& mode);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace fieldsync::sim
