#include "sim/team/team.h"

namespace fieldsync::team {

const char* name_of(Who who) {
  switch (who) {
    case Who::office: return "office";
    case Who::phone: return "phone";
    default: return "tablet";
  }
}

Team::Team(sim::Random random)
    : vfs(std::move(random), [] { return november_2026_ms; }),
      office_machine(vfs.add_machine("/sim/office")),
      phone_machine(vfs.add_machine("/sim/phone")),
      tablet_machine(vfs.add_machine("/sim/tablet")),
      phone(phone_machine, Person::aigul, around(Who::phone)),
      tablet(tablet_machine, Person::bakyt, around(Who::tablet)) {}

Surroundings Team::around(Who who) {
  return {[this] { return office.get(); }, [this, who] { on_acknowledged(who); },
          [this] { on_acknowledged(Who::office); }, [this] { office_threw = true; }};
}

sim::Machine& Team::machine(Who who) {
  switch (who) {
    case Who::office: return office_machine;
    case Who::phone: return phone_machine;
    default: return tablet_machine;
  }
}

Result<void> Team::open_office() {
  auto opened = Office::open(office_machine);
  if (!opened) return opened.error();
  office = std::move(*opened);
  return {};
}

void Team::close(Who who) {
  if (who == Who::office) office.reset();
  if (who == Who::phone) phone.close();
  if (who == Who::tablet) tablet.close();
}

void Team::close_all() {
  for (const Who who : {Who::office, Who::phone, Who::tablet}) close(who);
}

}  // namespace fieldsync::team
