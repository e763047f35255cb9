// Real programs on files that fail: in each scenario every operation on a file of the
// server's folder, of the store and of what is imported and exported fails once, then for
// ever. The program ends by itself with an error that names the storage; nothing is lost,
// and what failed can be done again.
//
// The fault points of tests/sim fail SQLite's files in one process, with every check of
// the simulator; these are all files, as the operating system shows them.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>

#include "support/long_profile.h"
#include "support/test_server.h"

using namespace fieldsync::testing;

namespace {

namespace fs = std::filesystem;

using Arguments = std::vector<std::string>;

// Without the long profile every so-manieth operation fails.
std::uint64_t stride() { return long_profile() ? 1 : 17; }

// A folder of files that fail, made anew for each trial from a copy.
class Place {
 public:
  [[nodiscard]] std::string path(const std::string& name) const { return (files() / name).string(); }
  [[nodiscard]] std::string server() const { return path("server"); }
  [[nodiscard]] std::string store() const { return path("store"); }

  // How it is now is how it will be at each restore().
  void keep() const { copy(files(), kept()); }
  void restore() const { copy(kept(), files()); }

  [[nodiscard]] Finished run(const Arguments& command) const { return fieldsync::testing::run(limited(command)); }

  // `command` where the nth operation on a file of this folder fails; 0: none.
  [[nodiscard]] Finished run_failing(const Arguments& command, std::uint64_t nth, const std::string& lasting) const {
    fs::remove(trace());
    Arguments all{"env",
                  "LD_PRELOAD=" FIELDSYNC_FILE_FAULTS,
                  "FIELDSYNC_FAULT_FOLDER=" + files().string(),
                  "FIELDSYNC_FAULT_NTH=" + std::to_string(nth),
                  "FIELDSYNC_FAULT_LASTING=" + lasting,
                  "FIELDSYNC_FAULT_TRACE=" + trace().string()};
    for (const std::string& argument : command) all.push_back(argument);
    return fieldsync::testing::run(limited(all));
  }

  // The names of the operations of the last run_failing().
  [[nodiscard]] std::vector<std::string> operations() const {
    std::vector<std::string> names;
    std::ifstream lines(trace());
    for (std::string line; std::getline(lines, line);) names.push_back(line);
    return names;
  }

 private:
  [[nodiscard]] fs::path files() const { return folder_.path() / "files"; }
  [[nodiscard]] fs::path kept() const { return folder_.path() / "kept"; }
  [[nodiscard]] fs::path trace() const { return folder_.path() / "trace"; }

  static void copy(const fs::path& from, const fs::path& to) {
    fs::remove_all(to);
    fs::copy(from, to, fs::copy_options::recursive);
  }

  // A program that hangs is ended, which is a failure.
  static Arguments limited(const Arguments& command) {
    Arguments all{"timeout", "20"};
    all.insert(all.end(), command.begin(), command.end());
    return all;
  }

  TemporaryFolder folder_;
};

struct Scenario {
  std::string name;
  Arguments command;
  // Whether what the command is to do has been done: once, and nothing else.
  std::function<bool(const Finished&)> is_done;
};

bool says(const Finished& finished, const std::string& code) {
  return finished.output.find("[" + code + "]\n") != std::string::npos;
}

bool names_storage(const Finished& finished) {
  return finished.exit_code == 1 && (says(finished, "storage_failed") || says(finished, "storage_full"));
}

void write_to(const std::string& path, const std::string& content) { std::ofstream(path, std::ios::binary) << content; }

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

void try_point(const Place& place, const Scenario& scenario, std::uint64_t nth, const std::string& lasting) {
  place.restore();
  const Finished met = place.run_failing(scenario.command, nth, lasting);
  const auto operations = place.operations();
  const std::string operation = nth <= operations.size() ? operations[nth - 1] : "not reached";
  INFO(scenario.name << ", operation " << nth << " (" << operation << ") " << lasting << ", exit code " << met.exit_code
                     << ":\n"
                     << met.output);
  if (met.exit_code == 0) {
    CHECK(scenario.is_done(met));
    return;
  }
  CHECK(names_storage(met));
  if (scenario.is_done(met)) return;
  const Finished again = place.run(scenario.command);
  INFO("tried again, exit code " << again.exit_code << ":\n" << again.output);
  CHECK(again.exit_code == 0);
  CHECK(scenario.is_done(again));
}

void try_all_points(const Place& place, const Scenario& scenario) {
  place.keep();
  const Finished clean = place.run_failing(scenario.command, 0, "once");
  INFO(scenario.name << ":\n" << clean.output);
  REQUIRE(clean.exit_code == 0);
  REQUIRE(scenario.is_done(clean));
  const std::size_t count = place.operations().size();
  REQUIRE(count > 0);
  std::cout << scenario.name << ": " << count << " operations" << std::endl;
  for (const std::string lasting : {"once", "for-ever"}) {
    for (std::uint64_t nth = 1; nth <= count; nth += stride()) try_point(place, scenario, nth, lasting);
  }
  place.restore();
}

// A server's folder without a running server.
struct ServerPlace : Place {
  [[nodiscard]] Arguments command(Arguments arguments) const {
    arguments.insert(arguments.begin(), {FIELDSYNC_SERVER, "--dir", server()});
    return arguments;
  }
  Finished succeed(Arguments arguments) const {
    Finished finished = run(command(std::move(arguments)));
    INFO(finished.output);
    REQUIRE(finished.exit_code == 0);
    return finished;
  }
  // How often the command's output holds the text; the database is sound.
  [[nodiscard]] std::size_t count(const Arguments& list, const std::string& text) const {
    if (run(command({"check"})).exit_code != 0) return SIZE_MAX;
    const Finished listed = run(command(list));
    return listed.exit_code == 0 ? count_of(listed.output, text) : SIZE_MAX;
  }
};

}  // namespace

TEST_CASE("a server's files fail while it is made") {
  ServerPlace place;
  fs::create_directories(place.path("."));
  try_all_points(place, {"init", place.command({"init", "--port", "9443"}), [&](const Finished&) {
                           return place.count({"form", "list"}, "interview") == 1;
                         }});
}

TEST_CASE("a server's files fail while it is administered") {
  ServerPlace place;
  fs::create_directories(place.path("."));
  place.succeed({"init", "--port", "9443"});
  try_all_points(place, {"scope add", place.command({"scope", "add", "Osh"}), [&](const Finished&) {
                           return place.count({"scope", "list"}, "Osh") == 1;
                         }});
  place.succeed({"scope", "add", "Osh"});
  try_all_points(place, {"scope list", place.command({"scope", "list"}),
                         [&](const Finished& listed) { return count_of(listed.output, "Osh") == 1; }});
  try_all_points(place,
                 {"person add", place.command({"person", "add", "Bakyt", "--scope", "Osh"}), [&](const Finished&) {
                    return place.count({"person", "list"}, "Bakyt") == 1;
                  }});
  place.succeed({"person", "add", "Bakyt", "--scope", "Osh"});
  try_all_points(place, {"enrol-code", place.command({"enrol-code", "Bakyt"}), [&](const Finished& told) {
                           return told.exit_code == 0 && place.count({"person", "list"}, "Bakyt") == 1;
                         }});
  write_to(place.path("facilities.csv"), "external_code,names:en,kind\nOSH-1,Osh remand prison,sizo\n");
  try_all_points(
      place,
      {"import",
       place.command({"import", "facility", place.path("facilities.csv"), "--scope", "Osh", "--key", "external_code"}),
       [&](const Finished&) { return place.count({"check"}, ": 1 records from 1 operations,") == 1; }});
  try_all_points(place, {"check", place.command({"check"}),
                         [&](const Finished& told) { return told.output.find("is sound") != std::string::npos; }});
}

TEST_CASE("an app's files fail") {
  const TestServer server;
  const Place place;
  const auto app = [&](Arguments arguments) {
    arguments.insert(arguments.begin(), {FIELDSYNC_APP, "--store", place.store()});
    return arguments;
  };
  const auto succeed = [&](Arguments arguments) {
    const Finished finished = place.run(app(std::move(arguments)));
    INFO(finished.output);
    REQUIRE(finished.exit_code == 0);
  };
  const auto listed = [&](const std::string& form, const std::string& text) {
    const Finished finished = place.run(app({"list", form}));
    return finished.exit_code == 0 ? count_of(finished.output, text) : SIZE_MAX;
  };
  fs::create_directories(place.path("."));
  succeed({"enrol", server.enrolment_text(), "--name", "tablet"});
  succeed({"sync"});
  write_to(place.path("facilities.jsonl"), R"({"names": ["en:Osh remand prison"], "kind": "sizo"})"
                                           "\n");
  const auto is_saved = [&](const Finished&) { return listed("facility", "Osh remand prison") == 1; };
  try_all_points(place, {"new", app({"new", "facility", "names=en:Osh remand prison"}), is_saved});
  try_all_points(place, {"new --from", app({"new", "facility", "--from", place.path("facilities.jsonl")}), is_saved});
  succeed({"new", "facility", "names=en:Osh remand prison"});
  try_all_points(place, {"list", app({"list", "facility"}), is_saved});
  const std::map<std::string, std::size_t> lines_of{{"csv", 2}, {"jsonl", 1}};
  for (const auto& [name, lines_in_all] : lines_of) {
    const std::string format = name;
    const std::size_t lines = lines_in_all;
    const std::string file = place.path("export." + format);
    try_all_points(place,
                   {"export " + format, app({"export", "--form", "facility", "--format", format, "--output", file}),
                    [&](const Finished&) {
                      const std::string text = content_of(file);
                      return text.find("Osh remand prison") != std::string::npos && count_of(text, "\n") == lines &&
                             text.back() == '\n';
                    }});
  }
  try_all_points(place, {"sync", app({"sync"}), [&](const Finished&) {
                           const Finished status = place.run(app({"--json", "status"}));
                           return status.exit_code == 0 && count_of(status.output, server.digest()) == 1 &&
                                  listed("facility", "Osh remand prison") == 1;
                         }});
}
