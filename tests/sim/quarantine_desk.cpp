#include "sim/quarantine_desk.h"

#include "service/quarantine.h"

namespace fieldsync::sim {
namespace {

// That a disk fails is told, and says nothing of what was decided.
bool is_disk_trouble(Errc code) {
  return code == Errc::storage_failed || code == Errc::storage_full || code == Errc::in_use;
}

}  // namespace

std::optional<core::OperationId> QuarantineDesk::pick_one(Chance& chance) {
  if (!server_.is_up()) return std::nullopt;
  std::vector<core::OperationId> ids;
  const auto read = server_.store().read([&](server::ReadTransaction& transaction) -> Result<void> {
    for (const auto& each : server::list_quarantine(transaction, std::nullopt))
      ids.push_back({each.device.id, each.counter});
    return {};
  });
  server_.faults().notice();
  if (!read || ids.empty() || !server_.is_up()) return std::nullopt;
  return ids[chance.below(ids.size())];
}

void QuarantineDesk::accept_one(Chance& chance) {
  const auto id = pick_one(chance);
  if (!id) return;
  const auto accepted = server::accept_quarantined(server_.store(), server_.audit_log(), *id);
  server_.faults().notice();
  run_.story.tell("office", "accepts operation " + std::to_string(id->counter) + " of quarantine: " +
                                (accepted ? "done" : std::string(describe(accepted.error().code).name)));
  if (!accepted && !is_disk_trouble(accepted.error().code)) {
    const bool may_be = accepted.error().code == Errc::superseded || accepted.error().code == Errc::wrong_value_type;
    if (!may_be) throw BrokenPromise("The office cannot accept a save: " + accepted.error().message());
    return;
  }
  accepted_.insert(*id);
  if (accepted) run_.tally.add(FaultKind::quarantine_accepted);
}

void QuarantineDesk::return_one(Chance& chance) {
  const auto id = pick_one(chance);
  if (!id) return;
  const auto returned =
      server::return_quarantined(server_.store(), server_.audit_log(), *id, "Please look at it again.");
  server_.faults().notice();
  if (!returned && !is_disk_trouble(returned.error().code)) {
    if (returned.error().code != Errc::invalid_argument)
      throw BrokenPromise("The office cannot return a save: " + returned.error().message());
    return;
  }
  run_.story.tell("office", "returns operation " + std::to_string(id->counter) + " of quarantine");
  returned_.insert(*id);
  if (returned) run_.tally.add(FaultKind::quarantine_returned);
}

}  // namespace fieldsync::sim
