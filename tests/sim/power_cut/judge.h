// judge.h: cuts one machine's power at every moment of a recording and judges
// what is left.
//
// A store may be found in any state between the last one of which it said "done"
// and the newest one that it had reached; nothing else. A device's that is erased stays
// so, whoever deletes what is left, and none of its key slots is to be found once it said so.
// Where it was revoked, the office has all of its work by then.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "recording.h"
#include "sim/team/store_state.h"

namespace fieldsync::power_cut {

// What power cuts left, in one phase of the script.
struct Tally {
  std::uint64_t images = 0;      // no two alike
  std::uint64_t corrupt = 0;     // damaged, or it does not open
  std::uint64_t lost = 0;        // something of which it had said "done" is gone
  std::uint64_t half_done = 0;   // a state that it never was in
  std::uint64_t finished = 0;    // the script was run again to its end
  std::uint64_t unfinished = 0;  // and could not be, or the machines disagree

  [[nodiscard]] std::uint64_t failures() const { return corrupt + lost + half_done + unfinished; }
};

struct Report {
  std::map<std::string, Tally> phases;  // "phone: push"
  std::uint64_t drawn = 0;              // images, those that had been tried included
  sim::SectorCounts sectors;            // of all drawn
  // The first failures, each in a sentence that says how to see it again.
  std::vector<std::string> failures;
};

struct Effort {
  std::uint64_t seed = 1;
  std::uint64_t cuts_per_moment = 1;  // different ones, where there are so many
  std::uint64_t finish_every = 10;    // every so many images the script is run again
};

class Judge {
 public:
  // `team`'s machines are used up.
  Judge(team::Team& team, const team::Script& script, const Recording& recording, team::Who who);

  void cut_at_every_moment(const Effort& effort, Report& report);

 private:
  using Kind = team::StoreState::Kind;

  // Opens the store after each moment as if its program had been killed: that
  // gives the states in their order.
  void learn_states();
  [[nodiscard]] std::size_t take_up(const team::StoreState& state, const Disks& disks, const std::string& where);
  // Index of the oldest state that may be found after this many moments.
  [[nodiscard]] std::size_t oldest_allowed(std::size_t moments) const;
  void judge(std::size_t moments, const team::StoreState& found, Tally& tally, const std::string& where,
             Report& report) const;
  // What is wrong where the device's store is erased, or none: empty where nothing is.
  [[nodiscard]] std::string wrong_with_erased(std::size_t moments, const team::StoreState& found, const Disks& disks,
                                              const sim::FileTree& image) const;
  // The bytes of a key slot, after the store said that it is erased.
  [[nodiscard]] bool can_be_opened_yet(std::size_t moments, const sim::FileTree& image) const;
  // No image with the same content was tried, of which the same states were allowed.
  [[nodiscard]] bool is_new(const sim::FileTree& image, std::size_t moments);
  void finish(const Disks& disks, const sim::FileTree& image, Tally& tally, const std::string& where, Report& report);

  [[nodiscard]] team::Phone& phone() const { return team_.device(who_); }

  team::Team& team_;
  const team::Script& script_;
  const Recording& recording_;
  team::Who who_;
  std::string name_;
  std::vector<std::uint64_t> states_;  // contents, oldest first
  Kind last_kind_ = Kind::nothing;
  std::optional<std::size_t> erased_;     // the first state in which the store is erased
  std::set<std::string> key_slots_;       // that it ever had
  std::vector<std::size_t> state_after_;  // by number of moments
  std::set<std::tuple<std::uint64_t, std::size_t, std::size_t>> tried_;
  std::vector<std::string> learned_wrong_;  // faults that a mere kill shows
};

}  // namespace fieldsync::power_cut
