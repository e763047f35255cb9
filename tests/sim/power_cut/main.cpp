// fieldsync-power-cut: cuts the power of an office, a phone and a tablet after every
// single change of their disks, many times each with another outcome.
//
//   fieldsync-power-cut --images 200000      until so many different disks were judged
//   fieldsync-power-cut --seed 7             begins with this scenario
//   fieldsync-power-cut --synchronous NORMAL --expect-losses
//
// Exits with 1 where a store was damaged, lost something or is half done. With
// --expect-losses it is the other way round: NORMAL syncs too seldom, and a run
// that does not notice would notice nothing.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <random>

#include "judge.h"

namespace {

using namespace fieldsync;
using namespace fieldsync::power_cut;

struct Options {
  std::uint64_t images = 4'000;
  std::uint64_t seed = 1;
  std::uint64_t cuts_per_moment = 8;
  std::uint64_t finish_every = 20;
  std::string synchronous;
  bool expect_losses = false;
};

std::uint64_t images_of(const Report& report) {
  std::uint64_t sum = 0;
  for (const auto& [phase, tally] : report.phases) sum += tally.images;
  return sum;
}

// One scenario: recorded once, then cut at every moment of each machine.
void run_scenario(const Options& options, std::uint64_t seed, Report& report) {
  std::mt19937_64 generator(seed);
  team::Team team([&] { return generator(); });
  // Small logs: checkpoints happen in the middle of the work too.
  team.vfs.force_checkpoint_pages(static_cast<int>(4 + seed % 5 * 4));
  if (!options.synchronous.empty()) team.vfs.force_synchronous(options.synchronous);
  const team::Script script(seed);
  const Recording recording = record(team, script);
  const std::uint64_t wanted = options.images - std::min(options.images, images_of(report));
  const std::uint64_t cuts =
      std::clamp<std::uint64_t>(wanted / recording.moments.size() + 1, 1, options.cuts_per_moment);
  for (const team::Who who : {team::Who::office, team::Who::phone, team::Who::tablet}) {
    Judge judge(team, script, recording, who);
    judge.cut_at_every_moment({seed, cuts, options.finish_every}, report);
  }
}

void print_row(const std::string& name, const Tally& tally) {
  std::cout << std::left << std::setw(24) << name << std::right;
  for (const std::uint64_t number :
       {tally.images, tally.corrupt, tally.lost, tally.half_done, tally.finished, tally.unfinished}) {
    std::cout << std::setw(11) << number;
  }
  std::cout << '\n';
}

Tally print(const Report& report) {
  std::cout << std::left << std::setw(24) << "" << std::right;
  for (const char* title : {"images", "corrupt", "lost", "half done", "finished", "unfinished"})
    std::cout << std::setw(11) << title;
  std::cout << '\n';
  Tally all;
  for (const auto& [name, tally] : report.phases) {
    print_row(name, tally);
    all.images += tally.images;
    all.corrupt += tally.corrupt;
    all.lost += tally.lost;
    all.half_done += tally.half_done;
    all.finished += tally.finished;
    all.unfinished += tally.unfinished;
  }
  print_row("all", all);
  std::cout << report.drawn << " disks were drawn; each that differs from the others was judged\n";
  std::cout << "unsynced sectors: " << report.sectors.kept << " kept, " << report.sectors.lost << " lost, "
            << report.sectors.torn << " torn\n";
  return all;
}

// Blind to one side, this test would see nothing of it.
bool loses_on_both_sides(const Report& report) {
  const auto loses = [&](std::string_view side) {
    return std::any_of(report.phases.begin(), report.phases.end(),
                       [&](const auto& phase) { return phase.first.starts_with(side) && phase.second.lost > 0; });
  };
  return loses("office:") && loses("phone:");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Cuts the power at every moment of a scenario and judges what is left.");
  app.add_option("--images", options.images, "How many different disks to judge at least");
  app.add_option("--seed", options.seed, "The first scenario");
  app.add_option("--cuts", options.cuts_per_moment, "Different outcomes for each moment of a scenario, at most");
  app.add_option("--finish-every", options.finish_every, "Finish the work on every n-th disk");
  app.add_option("--synchronous", options.synchronous, "SQLite's setting instead of the product's own");
  app.add_flag("--expect-losses", options.expect_losses, "Fail where the office or the phone loses nothing");
  CLI11_PARSE(app, argc, argv);
  Report report;
  for (std::uint64_t seed = options.seed; images_of(report) < options.images; ++seed)
    run_scenario(options, seed, report);
  const Tally all = print(report);
  if (options.expect_losses) {
    const bool seen = loses_on_both_sides(report) && all.corrupt == 0;
    std::cout << (seen ? "Losses were found on both sides, as they must be.\n"
                       : "No loss was found on one side, or damage: this test does not see what it should.\n");
    return seen ? 0 : 1;
  }
  for (const std::string& failure : report.failures) std::cout << failure << '\n';
  return all.failures() == 0 ? 0 : 1;
}
