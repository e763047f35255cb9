#include "fuzz/sound_team.h"

#include "fuzz/must_hold.h"
#include "fuzz/target.h"
#include "sim/chance.h"

namespace fieldsync::fuzz {
namespace {

using team::Phone;

void succeeds(const Result<void>& done) { must_hold(static_cast<bool>(done), "the team's own work succeeds"); }

void save(RecordEditor& editor, const std::string& summary) {
  succeeds(editor.set("summary", summary));
  must_hold(static_cast<bool>(editor.save()), "an honest save succeeds");
}

core::RecordId write_visit(Phone& phone, const std::string& title) {
  auto editor = phone.database().create("visit", id_of(team::Place::region));
  must_hold(static_cast<bool>(editor), "a visit can be written");
  succeeds(editor->set("title", title));
  succeeds(editor->set("people", std::int64_t{2}));
  const auto item = editor->add_item("findings");
  must_hold(static_cast<bool>(item), "a finding can be added");
  succeeds(editor->set("finding", std::string("No window."), *item));
  save(*editor, "Cell 4 is cold.");
  return editor->id();
}

void edit(Phone& phone, const core::RecordId& record, const std::string& summary) {
  auto editor = phone.database().edit(record);
  must_hold(static_cast<bool>(editor), "a visit can be edited");
  save(*editor, summary);
}

sim::Random chance_of(std::uint64_t seed) {
  return [chance = std::make_shared<sim::Chance>(seed)] { return chance->next(); };
}

}  // namespace

SoundTeam::SoundTeam() : team_(chance_of(1)) {
  work();
  team_.close_all();
  office_files_ = team_.office_machine.files();
  phone_files_ = team_.phone_machine.files();
}

void SoundTeam::work() {
  Phone& phone = team_.phone;
  Phone& tablet = team_.tablet;
  succeeds(team_.open_office());
  succeeds(team_.office->prepare([] {}));
  for (Phone* device : {&phone, &tablet}) {
    succeeds(device->open());
    succeeds(device->enrol());
    succeeds(device->sync());
  }
  const core::RecordId contested = write_visit(phone, "Osh");
  const core::RecordId deleted = write_visit(phone, "Naryn");
  succeeds(phone.sync());
  succeeds(tablet.sync());
  edit(phone, contested, "Cell 4 has no heating.");
  edit(tablet, contested, "Cell 4 has no window.");
  succeeds(tablet.database().delete_record(deleted));
  succeeds(tablet.sync());
  succeeds(phone.sync());
  succeeds(phone.sync());
  edit(phone, contested, "Cell 4 is empty.");
  write_visit(phone, "Talas");
}

team::Team& SoundTeam::put_back(const sim::FileTree& phone_files) {
  team_.close_all();
  team_.office_machine.restore(office_files_);
  team_.phone_machine.restore(phone_files);
  return team_;
}

SoundTeam& sound_team() {
  static SoundTeam team;
  return team;
}

}  // namespace fieldsync::fuzz

int LLVMFuzzerInitialize(int*, char***) {
  static_cast<void>(fieldsync::fuzz::sound_team());
  return 0;
}
