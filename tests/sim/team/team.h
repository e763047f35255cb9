// team.h: an office and two phones in one thread, each on its own machine.
#pragma once

#include <functional>
#include <memory>

#include "sim/disk/simulated_vfs.h"
#include "sim/team/office.h"
#include "sim/team/phone.h"

namespace fieldsync::team {

enum class Who : std::uint8_t { office, phone, tablet };
inline constexpr std::size_t machine_count = 3;
// As reports call the machine.
[[nodiscard]] const char* name_of(Who who);

class Team {
 public:
  explicit Team(sim::Random random);

  sim::SimulatedVfs vfs;
  sim::Machine& office_machine;
  sim::Machine& phone_machine;
  sim::Machine& tablet_machine;

  std::unique_ptr<Office> office;
  Phone phone;
  Phone tablet;

  // Is told when the machine's own code has said "done": everything that it
  // committed must be there from then on.
  std::function<void(Who)> on_acknowledged = [](Who) {};

  // Since a test last cleared it: the office met a request and had no memory for it, or broke off
  // its answer.
  bool office_threw = false;

  [[nodiscard]] sim::Machine& machine(Who who);
  // Pre: not the office.
  [[nodiscard]] Phone& device(Who who) { return who == Who::phone ? phone : tablet; }
  Result<void> open_office();
  // Closes whatever runs on the machine.
  void close(Who who);
  void close_all();

 private:
  [[nodiscard]] Surroundings around(Who who);
};

}  // namespace fieldsync::team
