#include "judge.h"

#include <algorithm>
#include <functional>
#include <random>

#include "sim/team/whole_work.h"

namespace fieldsync::power_cut {
namespace {

using team::Who;

constexpr std::size_t failures_told_max = 10;
// Draws for each image wanted. Where little is unsynced there are few different ones.
constexpr std::uint64_t draws_per_image = 3;

std::uint64_t hash_of(const sim::FileTree& disk) {
  std::uint64_t hash = 0;
  const auto mix = [&hash](const std::string& bytes) {
    hash = (hash ^ std::hash<std::string>{}(bytes)) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 32;
  };
  for (const std::string& name : disk.names()) {
    mix(name);
    mix(disk.content(*disk.find(name)));
  }
  return hash;
}

void tell(Report& report, const std::string& failure) {
  if (report.failures.size() < failures_told_max) report.failures.push_back(failure);
}

}  // namespace

Judge::Judge(team::Team& team, const team::Script& script, const Recording& recording, Who who)
    : team_(team), script_(script), recording_(recording), who_(who), name_(team::name_of(who)) {
  learn_states();
}

std::size_t Judge::take_up(const team::StoreState& state, const Disks& disks, const std::string& where) {
  if (!state.damage.empty()) learned_wrong_.push_back(where + ": " + state.damage);
  key_slots_.insert(state.key_slots.begin(), state.key_slots.end());
  if (state.kind == Kind::erased && !erased_) erased_ = states_.size();
  if (last_kind_ == Kind::there && state.kind == Kind::nothing)
    learned_wrong_.push_back(where + ": its files are gone, and it was not erased before");
  last_kind_ = state.kind;
  if (states_.empty() || states_.back() != state.content) {
    states_.push_back(state.content);
    std::string half = team::half_done(team_, who_);
    if (half.empty() && who_ != Who::office) {
      team_.office_machine.restore(disks.of(Who::office));
      half = team::missing_work(team_, who_, script_);
    }
    if (!half.empty()) learned_wrong_.push_back(where + ": " + half);
  }
  return states_.size() - 1;
}

void Judge::learn_states() {
  Disks disks;
  team_.machine(who_).restore({});
  state_after_.push_back(take_up(team::look_at(team_, who_), disks, name_ + ", before everything"));
  for (const Moment& moment : recording_.moments) {
    disks.apply(moment);
    if (moment.who != who_) {
      state_after_.push_back(state_after_.back());
      continue;
    }
    team_.machine(who_).restore(disks.of(who_));
    const std::string where =
        name_ + ", killed after moment " + std::to_string(state_after_.size()) + " (" + moment.phase + ")";
    state_after_.push_back(take_up(team::look_at(team_, who_), disks, where));
  }
}

std::size_t Judge::oldest_allowed(std::size_t moments) const {
  std::size_t oldest = 0;
  for (const std::size_t position : recording_.acknowledged[static_cast<std::size_t>(who_)]) {
    if (position <= moments) oldest = std::max(oldest, state_after_[position]);
  }
  for (std::size_t i = 0; i < moments; ++i) {
    const Moment& moment = recording_.moments[i];
    if (moment.who == who_ && !moment.change) oldest = std::max(oldest, state_after_[i + 1]);
  }
  return oldest;
}

void Judge::judge(std::size_t moments, const team::StoreState& found, Tally& tally, const std::string& where,
                  Report& report) const {
  if (!found.damage.empty()) {
    ++tally.corrupt;
    tell(report, where + ": " + found.damage);
    return;
  }
  const auto begin = states_.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(state_after_[moments] + 1);
  const auto oldest = begin + static_cast<std::ptrdiff_t>(oldest_allowed(moments));
  if (std::find(oldest, end, found.content) != end) return;
  const auto older = std::find(begin, oldest, found.content);
  if (older != oldest) {
    ++tally.lost;
    tell(report, where + ": " + std::to_string(oldest - older) + " acknowledged transactions are lost");
  } else {
    ++tally.half_done;
    tell(report, where + ": a state that the store never was in");
  }
}

std::string Judge::wrong_with_erased(std::size_t moments, const team::StoreState& found, const Disks& disks,
                                     const sim::FileTree& image) const {
  if (can_be_opened_yet(moments, image)) return "it said that it is erased, and a key slot can be read";
  if (found.kind == Kind::there || who_ == Who::office) return {};
  if (found.kind == Kind::erased) {
    team_.machine(who_).restore(image);
    const auto wiped = api::wipe(phone().file());
    if (!wiped || !phone().is_empty()) return "an erased store is not wiped to the end";
  }
  // The office loses its power with the device.
  sim::SectorCounts uncounted;
  team_.office_machine.restore(disks.of(Who::office).after_power_cut([] { return 0; }, uncounted));
  std::string missing;
  if (auto opened = team_.open_office(); !opened) missing = "it does not open";
  if (missing.empty()) missing = team::missing_of_erased(team_, script_, who_);
  team_.close(Who::office);
  return missing.empty() ? missing : "it is erased, and at the office " + missing;
}

bool Judge::can_be_opened_yet(std::size_t moments, const sim::FileTree& image) const {
  if (!erased_ || oldest_allowed(moments) < *erased_) return false;
  for (const std::string& name : image.names()) {
    const std::string& content = image.content(*image.find(name));
    for (const std::string& slot : key_slots_) {
      if (content.find(slot) != std::string::npos) return true;
    }
  }
  return false;
}

bool Judge::is_new(const sim::FileTree& image, std::size_t moments) {
  return tried_.insert({hash_of(image), oldest_allowed(moments), state_after_[moments]}).second;
}

void Judge::finish(const Disks& disks, const sim::FileTree& image, Tally& tally, const std::string& where,
                   Report& report) {
  for (const Who other : {Who::office, Who::phone, Who::tablet}) {
    team_.machine(other).restore(other == who_ ? image : disks.of(other));
  }
  std::string problem;
  for (const team::Step& step : script_.steps()) {
    const auto done = step.run(team_, team::Run::again);
    if (done) continue;
    problem = "'" + step.phase + "' fails: " + done.error().message();
    break;
  }
  if (problem.empty()) problem = team::disagreement(team_, script_);
  team_.close_all();
  ++(problem.empty() ? tally.finished : tally.unfinished);
  if (!problem.empty()) tell(report, where + ", going on: " + problem);
}

void Judge::cut_at_every_moment(const Effort& effort, Report& report) {
  for (const std::string& wrong : learned_wrong_) {
    ++report.phases[name_ + ": killed"].half_done;
    tell(report, wrong);
  }
  Disks disks;
  std::uint64_t images = 0;
  for (std::size_t i = 0; i < recording_.moments.size(); ++i) {
    const Moment& moment = recording_.moments[i];
    disks.apply(moment);
    if (moment.who != who_) continue;
    Tally& tally = report.phases[name_ + ": " + moment.phase];
    std::uint64_t images_now = 0;
    for (std::uint64_t cut = 0; cut < draws_per_image * effort.cuts_per_moment; ++cut) {
      if (images_now == effort.cuts_per_moment) break;
      std::seed_seq seeds{effort.seed, static_cast<std::uint64_t>(who_), static_cast<std::uint64_t>(i), cut};
      std::mt19937_64 generator(seeds);
      const sim::FileTree image = disks.of(who_).after_power_cut([&] { return generator(); }, report.sectors);
      ++report.drawn;
      if (!is_new(image, i + 1)) continue;
      ++images_now;
      const std::string where = name_ + ", seed " + std::to_string(effort.seed) + ", moment " + std::to_string(i + 1) +
                                " (" + moment.phase + "), cut " + std::to_string(cut);
      team_.machine(who_).restore(image);
      const team::StoreState found = team::look_at(team_, who_);
      judge(i + 1, found, tally, where, report);
      if (const std::string wrong = wrong_with_erased(i + 1, found, disks, image); !wrong.empty()) {
        ++tally.lost;
        tell(report, where + ": " + wrong);
      }
      ++tally.images;
      if (images++ % effort.finish_every == 0) finish(disks, image, tally, where, report);
    }
  }
}

}  // namespace fieldsync::power_cut
