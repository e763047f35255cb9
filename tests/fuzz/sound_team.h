// sound_team.h: an office and two phones in the middle of their work: synced
// records, one with a conflict, one deleted, and saves that wait. Put back before
// each input.
#pragma once

#include "sim/disk/file_tree.h"
#include "sim/team/team.h"

namespace fieldsync::fuzz {

class SoundTeam {
 public:
  SoundTeam();

  // Everything closed, all disks as they were; `phone_files` is the phone's.
  team::Team& put_back(const sim::FileTree& phone_files);
  team::Team& put_back() { return put_back(phone_files_); }
  [[nodiscard]] const sim::FileTree& phone_files() const { return phone_files_; }

 private:
  void work();

  team::Team team_;
  sim::FileTree office_files_;
  sim::FileTree phone_files_;
};

// The one of this process, made before the first input.
[[nodiscard]] SoundTeam& sound_team();

}  // namespace fieldsync::fuzz
