// script.h: a week of a team, step by step: everything that changes a store.
//
// The script may be run again from its beginning on any state that a power cut
// left: each step does what is still missing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/team/photo.h"
#include "sim/team/team.h"

namespace fieldsync::team {

enum class Run : std::uint8_t {
  first,
  again,  // after a power cut: the office is not set back to its backup once more
};

struct Step {
  std::string phase;  // what a report calls it
  std::function<Result<void>(Team&, Run)> run;
};

// What the phone's save left in a record of the region.
struct Saved {
  std::uint64_t counter;
  std::string title;
  std::string summary;
};

// What a save of the region names.
struct TakenPhoto {
  Who who;
  std::uint64_t counter;  // of that save
  std::shared_ptr<const Photo> photo;
};

class Script {
 public:
  // The seed decides how long the texts are.
  explicit Script(std::uint64_t seed);

  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
  // Two with one counter were made by one store and an older copy of it.
  [[nodiscard]] const std::vector<Saved>& phone_saves() const { return phone_saves_; }
  [[nodiscard]] const std::vector<TakenPhoto>& photos() const { return photos_; }
  // Which of the phone's saves were made, under whatever device's id. Pre: it is open.
  [[nodiscard]] Result<std::uint64_t> saved(Phone& phone) const;
  // Which of the phone's saves puts right what was refused.
  [[nodiscard]] std::uint64_t amended_with() const { return amended_with_; }
  // How many there are at the end.
  [[nodiscard]] std::uint64_t saves_of(Who who) const { return who == Who::phone ? saves_of_phone_ : saves_of_tablet_; }
  // How many of the phone's stay under its first id when it is enrolled anew.
  [[nodiscard]] std::uint64_t kept_by_former() const { return *kept_by_former_; }

 private:
  using Edit = std::function<Result<void>(RecordEditor&)>;

  void add(std::string phase, std::function<Result<void>(Team&, Run)> run) {
    steps_.push_back({std::move(phase), std::move(run)});
  }
  // What is done with the store of this phone or tablet. Where the script is run again, its
  // store may have been erased.
  void add_of(Who who, std::string phase, std::function<Result<void>(Team&, Run)> run);
  void add_setup();
  void add_first_visits();
  void add_conflict();
  void add_deletion();
  void add_migration();
  void add_backup_and_restore();
  // An older copy of the phone's store is put back, used, and enrolled anew.
  void add_fork();
  // From one phone to the other, over the office; then the first one makes room.
  void add_photo_for_both();
  void add_endings();
  // The phone's save that was refused, as a record of the region.
  void amend(const std::string& summary);
  void add_hand_in();
  void add_wipe();

  // The device's next save: a new record, or an edit of one, with a text of its own, which is
  // returned.
  std::string save(Who who, const std::string& title, Place place = Place::region);
  // What only the office and others have after the older copy was put back.
  void save_before_older_copy(const std::string& title);
  // With the counter of that.
  void save_in_older_copy(const std::string& title);
  void resolve(const std::string& title);
  // The tablet's next save, which leaves the record's summary as it is.
  void save_finding(const std::string& title);
  // A photo, which the device's next save names.
  std::shared_ptr<const Photo> take_photo(Who who, const std::string& title, std::size_t bytes);
  void sync(const std::string& phase, Who who);
  [[nodiscard]] std::string text();

  std::uint64_t seed_;
  std::vector<Step> steps_;
  std::vector<Saved> phone_saves_;
  std::vector<TakenPhoto> photos_;
  void add_save(std::uint64_t counter, const std::string& title, const std::string& summary, Who who, Place place);

  // The steps share it: a copy of the script's may outlive it.
  std::shared_ptr<std::uint64_t> kept_by_former_ = std::make_shared<std::uint64_t>(0);
  std::uint64_t amended_with_ = 0;
  std::uint64_t saves_of_phone_ = 0;
  std::uint64_t saves_of_tablet_ = 0;
};

// Which of its work the office does not have, of a device whose store is erased, or is none
// yet; empty where it has all.
[[nodiscard]] std::string missing_of_erased(Team& team, const Script& script, Who who);

// Empty where office and phones agree on everything that was saved. Erased ones are not asked.
[[nodiscard]] std::string disagreement(Team& team, const Script& script);

}  // namespace fieldsync::team
