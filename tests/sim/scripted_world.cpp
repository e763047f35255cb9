#include "sim/scripted_world.h"

#include "sim/device_checks.h"

namespace fieldsync::sim {
namespace {

constexpr std::int64_t sync_takes_ms_max = 10 * minute_ms;

}  // namespace

ScriptedWorld::ScriptedWorld(std::size_t devices)
    : vfs([chance = Chance(2)]() mutable { return chance.next(); },
          [this] { return beginning_ms + run.schedule.now(); }),
      server((seed_sodium(1), run.plan.heal(), run), vfs),
      office(run, server),
      network(run, server) {
  server.set_events({.between_calls = [] {},
                     .while_stale = [] {},
                     .came_up = [] {},
                     .was_restored = [this] { office.write_down(); }});
  network.on_reply([this](const Link& link, const v1::SyncReply& reply) {
    for (const auto& device : devices_) device->book().note_promise(link.device_name, reply.acknowledged_counter());
  });
  server.start();
  office.write_down();
  for (std::size_t i = 0; i < devices; ++i) {
    devices_.push_back(std::make_unique<Device>(run, vfs, server, office, network, i, i));
    devices_.back()->start();
    sync(i);
  }
}

bool ScriptedWorld::sync(std::size_t number) {
  Device& device = *devices_[number];
  const auto before = device.synced_at_ms();
  run.schedule.run_until(run.schedule.now() + 1);
  device.sync();
  const std::int64_t end_ms = run.schedule.now() + sync_takes_ms_max;
  while (device.is_syncing() && run.schedule.now() < end_ms) run.schedule.run_until(run.schedule.now() + second_ms);
  return device.synced_at_ms() != before;
}

core::RecordId ScriptedWorld::create(std::size_t number, const std::string& summary) {
  auto editor = device(number).database().create("visit", office.scopes().front().id);
  REQUIRE(editor);
  REQUIRE(editor->set("summary", summary));
  REQUIRE(editor->save());
  REQUIRE(learn_saves(device(number).book(), device(number).store()));
  return editor->id();
}

void ScriptedWorld::write(std::size_t number, const core::RecordId& record, const std::string& summary) {
  auto editor = device(number).database().edit(record);
  REQUIRE(editor);
  REQUIRE(editor->set("summary", summary));
  REQUIRE(editor->save());
  REQUIRE(learn_saves(device(number).book(), device(number).store()));
}

bool ScriptedWorld::shows(std::size_t number, const core::RecordId& record) {
  return static_cast<bool>(device(number).database().read(record));
}

std::uint64_t ScriptedWorld::epoch() {
  std::uint64_t epoch = 0;
  REQUIRE(server.store().read([&](server::ReadTransaction& transaction) -> Result<void> {
    epoch = transaction.scope(office.scopes().front().id)->epoch;
    return {};
  }));
  return epoch;
}

void ScriptedWorld::check_all() {
  Healed healed{office, server, run.album, {}};
  for (const auto& each : devices_) healed.devices.push_back(each.get());
  for (int round = 0; round < 5 && !everybody_is_done(healed); ++round) {
    for (std::size_t i = 0; i < devices_.size(); ++i) sync(i);
  }
  CHECK(who_is_not_done(healed).empty());
  check_healed(healed);
}

}  // namespace fieldsync::sim
