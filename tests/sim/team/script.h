// script.h: a week of a team, step by step: everything that changes a store.
//
// The script may be run again from its beginning on any state that a power cut
// left: each step does what is still missing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

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

class Script {
 public:
  // The seed decides how long the texts are.
  explicit Script(std::uint64_t seed);

  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
  [[nodiscard]] const std::vector<Saved>& phone_saves() const { return phone_saves_; }

 private:
  using Edit = std::function<Result<void>(RecordEditor&)>;

  void add(std::string phase, std::function<Result<void>(Team&, Run)> run) {
    steps_.push_back({std::move(phase), std::move(run)});
  }
  void add_setup();
  void add_first_visits();
  void add_conflict();
  void add_deletion();
  void add_migration();
  void add_backup_and_restore();
  void add_endings();

  // The device's next save: a new record, or an edit of one, with a text of its own.
  void save(Who who, const std::string& title, Place place = Place::region);
  void resolve(const std::string& title);
  // The tablet's next save, which leaves the record's summary as it is.
  void save_finding(const std::string& title);
  void sync(const std::string& phase, Who who);
  [[nodiscard]] std::string text();

  std::uint64_t seed_;
  std::vector<Step> steps_;
  std::vector<Saved> phone_saves_;
  std::uint64_t saves_of_phone_ = 0;
  std::uint64_t saves_of_tablet_ = 0;
};

// Empty where office and phones agree on everything that was saved.
[[nodiscard]] std::string disagreement(Team& team);

}  // namespace fieldsync::team
