#include "recording.h"

#include <stdexcept>

namespace fieldsync::power_cut {

using team::Who;

Recording record(team::Team& team, const team::Script& script) {
  Recording recording;
  std::string phase;
  for (const Who who : {Who::office, Who::phone, Who::tablet}) {
    team.machine(who).watch({
        .changed =
            [&, who](const sim::DiskChange& change) {
              recording.moments.push_back({who, change, {}, phase});
            },
        .restored =
            [&, who] {
              recording.moments.push_back({who, {}, team.machine(who).files(), phase});
            },
    });
  }
  team.on_acknowledged = [&](Who who) {
    recording.acknowledged[static_cast<std::size_t>(who)].push_back(recording.moments.size());
  };
  for (const team::Step& step : script.steps()) {
    phase = step.phase;
    if (auto done = step.run(team, team::Run::first); !done) {
      throw std::runtime_error("the script fails at '" + phase + "': " + done.error().message());
    }
  }
  phase = "close";
  team.close_all();
  for (const Who who : {Who::office, Who::phone, Who::tablet}) team.machine(who).watch({});
  team.on_acknowledged = [](Who) {};
  return recording;
}

void Disks::apply(const Moment& moment) {
  sim::FileTree& tree = trees_[static_cast<std::size_t>(moment.who)];
  if (moment.change) {
    tree.apply(*moment.change);
  } else {
    tree = moment.other_disk;
  }
}

}  // namespace fieldsync::power_cut
