// quarantine_desk.h: somebody at the office who looks at what is in quarantine, and accepts one or
// returns it.
#pragma once

#include <set>

#include "sim/server.h"

namespace fieldsync::sim {

class QuarantineDesk {
 public:
  QuarantineDesk(Run& run, Server& server) : run_(run), server_(server) {}

  void accept_one(Chance& chance);
  void return_one(Chance& chance);

  // Also where the disk failed meanwhile, and nobody knows.
  [[nodiscard]] bool may_have_accepted(const core::OperationId& id) const { return accepted_.contains(id); }
  [[nodiscard]] bool may_have_returned(const core::OperationId& id) const { return returned_.contains(id); }

 private:
  [[nodiscard]] std::optional<core::OperationId> pick_one(Chance& chance);

  Run& run_;
  Server& server_;
  std::set<core::OperationId> accepted_;
  std::set<core::OperationId> returned_;
};

}  // namespace fieldsync::sim
