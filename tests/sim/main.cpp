// fieldsync-sim: runs simulated worlds.
//
//   fieldsync-sim --seed N [--story]     one seed, and what happened in it
//   fieldsync-sim --seeds A..B [--json | --least N]  many, with a table of what struck
//   fieldsync-sim --until A..B           as many as it takes to break a promise
//   fieldsync-sim --kept FILE            the seeds that failed once
//   fieldsync-sim --twice A..B           each seed twice: the same story
//
// Exits 1 where a promise was broken, where a profile of 150 seeds or more never met
// one of the faults, or where there were fewer than --least operations.
#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "sim/world.h"

using namespace fieldsync::sim;

namespace {

constexpr std::size_t seeds_of_a_profile = 150;

struct Range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

Range read_range(const std::string& text) {
  const std::size_t dots = text.find("..");
  const std::uint64_t first = std::stoull(text.substr(0, dots));
  return {first, dots == std::string::npos ? first : std::stoull(text.substr(dots + 2))};
}

void print_story(const RunResult& result) {
  for (const std::string& line : result.story) std::cout << line << '\n';
}

void print_failure(const RunResult& result) {
  std::cout << "Seed " << result.seed << " breaks a promise: " << *result.broken << "\nThe last of its story:\n";
  const std::size_t shown = 25;
  const std::size_t first = result.story.size() > shown ? result.story.size() - shown : 0;
  for (std::size_t i = first; i < result.story.size(); ++i) std::cout << "  " << result.story[i] << '\n';
  std::cout << "Repeat it: tools/dev sim --seed " << result.seed << '\n' << std::flush;
}

struct Summary {
  std::size_t seeds = 0;
  std::vector<std::uint64_t> failed;
  FaultTally tally;
  std::uint64_t operations = 0;
  std::int64_t longest_heal_ms = 0;

  void add(const RunResult& result) {
    ++seeds;
    if (result.broken) failed.push_back(result.seed);
    tally.add(result.tally);
    operations += result.operations;
    longest_heal_ms = std::max(longest_heal_ms, result.healed_after_ms);
  }
};

std::vector<std::string_view> never_struck(const FaultTally& tally) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    if (tally.struck[i] == 0) names.push_back(name_of(static_cast<FaultKind>(i)));
  }
  return names;
}

void print_summary(const Summary& summary, bool json) {
  if (json) {
    std::cout << "{\"seeds\":" << summary.seeds << ",\"failed\":" << summary.failed.size()
              << ",\"operations\":" << summary.operations << ",\"longest_heal_ms\":" << summary.longest_heal_ms
              << ",\"struck\":{";
    for (std::size_t i = 0; i < fault_kinds; ++i) {
      std::cout << (i == 0 ? "" : ",") << '"' << name_of(static_cast<FaultKind>(i)) << "\":" << summary.tally.struck[i];
    }
    std::cout << "}}\n";
    return;
  }
  std::cout << summary.seeds << " seeds, " << summary.failed.size() << " failed, " << summary.operations
            << " operations, healed within " << summary.longest_heal_ms << " ms\n";
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    std::cout << "  " << name_of(static_cast<FaultKind>(i)) << ' ' << summary.tally.struck[i] << '\n';
  }
}

int run_seeds(const std::vector<std::uint64_t>& seeds, bool json, std::uint64_t operations_least) {
  if (seeds.empty()) throw std::runtime_error("there is no seed to run");
  Summary summary;
  for (const std::uint64_t seed : seeds) {
    const RunResult result = run_seed(seed);
    if (result.broken) print_failure(result);
    summary.add(result);
  }
  print_summary(summary, json);
  const auto missing =
      seeds.size() >= seeds_of_a_profile ? never_struck(summary.tally) : std::vector<std::string_view>{};
  for (const std::string_view name : missing) std::cout << "Never struck: " << name << '\n';
  const bool too_few = summary.operations < operations_least;
  if (too_few) std::cout << "Fewer than " << operations_least << " operations\n";
  return summary.failed.empty() && missing.empty() && !too_few ? 0 : 1;
}

int run_one(std::uint64_t seed, bool story) {
  const RunResult result = run_seed(seed);
  if (story) print_story(result);
  if (result.broken) {
    print_failure(result);
  } else {
    std::cout << "Seed " << seed << " keeps every promise: " << result.operations << " operations, hash " << result.hash
              << '\n';
  }
  return result.broken ? 1 : 0;
}

int run_until_broken(const Range& range) {
  for (std::uint64_t seed = range.first; seed <= range.last; ++seed) {
    // So that it is known which one ended the program.
    std::cerr << seed - range.first + 1 << '\n' << std::flush;
    const RunResult result = run_seed(seed);
    if (!result.broken) continue;
    std::cout << "Found after " << seed - range.first + 1 << " seeds: " << *result.broken << '\n';
    return 1;
  }
  return 0;
}

int run_twice(const Range& range) {
  for (std::uint64_t seed = range.first; seed <= range.last; ++seed) {
    const RunResult first = run_seed(seed);
    const RunResult second = run_seed(seed);
    if (first.hash == second.hash) continue;
    std::cout << "Seed " << seed << " tells two stories, or leaves other disks.\n";
    for (std::size_t i = 0; i < std::min(first.story.size(), second.story.size()); ++i) {
      if (first.story[i] == second.story[i]) continue;
      std::cout << "  first:  " << first.story[i] << "\n  second: " << second.story[i] << '\n';
      break;
    }
    return 1;
  }
  std::cout << "Every seed told the same story twice.\n";
  return 0;
}

std::vector<std::uint64_t> kept_seeds(const std::string& file) {
  std::ifstream lines(file);
  if (!lines) throw std::runtime_error(file + " cannot be read");
  std::vector<std::uint64_t> seeds;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.front() != '#') seeds.push_back(std::stoull(line));
  }
  return seeds;
}

int run(const std::vector<std::string>& arguments) {
  const std::string command = arguments.size() >= 2 ? arguments[0] : "";
  const std::string option = arguments.size() >= 3 ? arguments[2] : "";
  if (command == "--seed") return run_one(std::stoull(arguments[1]), option == "--story");
  if (command == "--until") return run_until_broken(read_range(arguments[1]));
  if (command == "--twice") return run_twice(read_range(arguments[1]));
  if (command == "--kept") return run_seeds(kept_seeds(arguments[1]), false, 0);
  if (command != "--seeds") {
    std::cerr
        << "fieldsync-sim --seed N [--story] | --seeds A..B [--json | --least OPERATIONS] | --until A..B | --kept FILE"
           " | --twice A..B\n";
    return 2;
  }
  std::vector<std::uint64_t> seeds;
  const Range range = read_range(arguments[1]);
  for (std::uint64_t seed = range.first; seed <= range.last; ++seed) seeds.push_back(seed);
  const bool has_least = option == "--least" && arguments.size() >= 4;
  return run_seeds(seeds, option == "--json", has_least ? std::stoull(arguments[3]) : 0);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "fieldsync-sim: " << error.what() << '\n';
    return 2;
  }
}
