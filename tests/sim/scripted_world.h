// scripted_world.h: a world in which only that goes wrong which a test says: for
// the short tests that a failing seed was reduced to.
#pragma once

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "sim/final_checks.h"
#include "sim/seeded_sodium.h"

namespace fieldsync::sim {

class ScriptedWorld {
 public:
  explicit ScriptedWorld(std::size_t devices);

  Run run{1};
  SimulatedVfs vfs;
  Server server;
  Office office;
  Network network;

  Device& device(std::size_t number) { return *devices_[number]; }
  // To its end; true where it ended well.
  bool sync(std::size_t device);
  core::RecordId create(std::size_t device, const std::string& summary);
  void write(std::size_t device, const core::RecordId& record, const std::string& summary);
  [[nodiscard]] bool shows(std::size_t device, const core::RecordId& record);
  [[nodiscard]] std::uint64_t epoch();
  // Everybody syncs until nothing is left; then all that final_checks.h knows.
  void check_all();

 private:
  std::vector<std::unique_ptr<Device>> devices_;
};

}  // namespace fieldsync::sim
