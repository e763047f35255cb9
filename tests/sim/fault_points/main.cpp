// fieldsync-fault-points: in every scenario each allocation and each file operation of
// SQLite fails, once and then for ever.
//
//   fieldsync-fault-points                      all points
//   fieldsync-fault-points --points 10          at most 10 of each kind, spread evenly
//   fieldsync-fault-points --scenario save      only scenarios whose name holds this
//   fieldsync-fault-points --scenario "edit and save" --allocation 17 --for-ever
//   fieldsync-fault-points --libraries          what zstd, OpenSSL and libsodium allocate
//
// What fails: C++'s operator new, SQLite's allocations, and what SQLite asks of the
// files of the office and the phones. With --libraries instead the malloc() of zstd,
// OpenSSL and libsodium, which is in no test yet: it finds calls that say "damaged" or
// "invalid", or throw, where memory was wanting. What a library makes once for the whole
// process (the zstd dictionaries, OpenSSL's tables) is made before anything fails.
//
// What never fails here: malloc() of libstdc++ and libc; protobuf's is operator new. No
// file but SQLite's: those of keys, settings, locks, imports and exports fail in
// tests/integration/file_faults. Nor does TLS run: requests reach the office by a call.
//
// Exits with 1 where a call crashed, lied or left something behind. It names the
// point before it is tried in --verbose, for those that crash.

#include <sodium.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <random>

#include "trial.h"

namespace {

using namespace fieldsync;
using namespace fieldsync::fault_points;
using team::Who;
using testing::Lasting;

// Chance makes some runs a little shorter than the one that was counted.
constexpr std::uint64_t struck_percent_min = 95;

struct Options {
  std::uint64_t points = 0;
  std::string scenario;
  std::uint64_t allocation = 0;
  bool for_ever = false;
  bool libraries = false;
  bool verbose = false;
  std::uint64_t part = 0;
  std::uint64_t parts = 1;
};

struct Row {
  std::uint64_t allocations = 0;
  std::uint64_t file_operations = 0;
  std::uint64_t tried = 0;
  std::uint64_t struck = 0;
  std::uint64_t failures = 0;
};

std::string describe_point(const Scenario& scenario, const Point& point) {
  const std::string what =
      point.what == What::allocation ? "allocation" : std::string("file operation of the ") + team::name_of(point.who);
  return scenario.name + ", " + what + " " + std::to_string(point.nth) +
         (point.lasting == Lasting::once ? " once" : " for ever");
}

class Runner {
 public:
  explicit Runner(const Options& options)
      : options_(options), team_([this] { return generator_(); }), script_(1), trial_(team_, script_) {}

  Row run_all() {
    Row all;
    const auto scenarios = all_scenarios(team_, script_);
    for (std::size_t i = 0; i < scenarios.size(); ++i) {
      if (i % options_.parts != options_.part || scenarios[i].name.find(options_.scenario) == std::string::npos)
        continue;
      const Row row = run(scenarios[i]);
      print(scenarios[i].name, row);
      all.allocations += row.allocations;
      all.file_operations += row.file_operations;
      all.tried += row.tried;
      all.struck += row.struck;
      all.failures += row.failures;
    }
    print("all", all);
    return all;
  }

 private:
  Row run(const Scenario& scenario) {
    Row row;
    trial_.learn(scenario);
    row.allocations = trial_.count(scenario, What::allocation, Who::phone);
    if (options_.allocation > 0) {
      const Lasting lasting = options_.for_ever ? Lasting::for_ever : Lasting::once;
      try_point(scenario, {What::allocation, lasting, Who::phone, options_.allocation}, row);
      return row;
    }
    for (const Lasting lasting : {Lasting::once, Lasting::for_ever}) {
      try_points(scenario, {What::allocation, lasting, Who::phone, 0}, row.allocations, row);
    }
    if (options_.libraries) return row;
    for (const Who who : {Who::office, Who::phone, Who::tablet}) {
      const std::uint64_t operations = trial_.count(scenario, What::file_operation, who);
      row.file_operations += operations;
      for (const Lasting lasting : {Lasting::once, Lasting::for_ever}) {
        try_points(scenario, {What::file_operation, lasting, who, 0}, operations, row);
      }
    }
    return row;
  }

  void try_points(const Scenario& scenario, Point point, std::uint64_t count, Row& row) {
    const std::uint64_t tried = options_.points == 0 ? count : std::min(count, options_.points);
    for (std::uint64_t i = 0; i < tried; ++i) {
      point.nth = 1 + i * count / tried;
      try_point(scenario, point, row);
    }
  }

  void try_point(const Scenario& scenario, const Point& point, Row& row) {
    if (options_.verbose) std::cerr << describe_point(scenario, point) << std::endl;
    const std::string wrong = trial_.run(scenario, point);
    ++row.tried;
    if (trial_.has_struck()) ++row.struck;
    if (wrong.empty()) return;
    ++row.failures;
    std::cout << describe_point(scenario, point) << ": " << wrong << '\n';
  }

  static void print(const std::string& name, const Row& row) {
    std::cout << std::left << std::setw(20) << name << std::right << std::setw(9) << row.allocations << " allocations"
              << std::setw(7) << row.file_operations << " file operations" << std::setw(8) << row.tried << " tried"
              << std::setw(8) << row.struck << " struck" << std::setw(6) << row.failures << " wrong" << std::endl;
  }

  Options options_;
  std::mt19937_64 generator_{1};
  team::Team team_;
  team::Script script_;
  Trial trial_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Lets each allocation and each file operation fail, once and for ever.");
  app.add_option("--points", options.points, "At most so many of each kind in a scenario; 0 for all");
  app.add_option("--scenario", options.scenario, "Only scenarios whose name holds this");
  app.add_option("--allocation", options.allocation, "Only this allocation");
  app.add_flag("--for-ever", options.for_ever, "With --allocation: it and all that follow");
  app.add_flag("--libraries", options.libraries, "Only what zstd, OpenSSL and libsodium allocate");
  app.add_flag("--verbose", options.verbose, "Name each point before it is tried");
  app.add_option("--part", options.part, "Every --parts'th scenario from this one, counted from 0");
  app.add_option("--parts", options.parts);
  CLI11_PARSE(app, argc, argv);
  if (sodium_init() < 0) return 1;
  testing::let_sqlite_allocations_fail();
  if (options.libraries) testing::let_library_allocations_fail();
  const Row all = Runner(options).run_all();
  if (all.struck < all.tried * struck_percent_min / 100 || all.tried == 0) {
    std::cout << "Too few points were reached.\n";
    return 1;
  }
  return all.failures == 0 ? 0 : 1;
}
