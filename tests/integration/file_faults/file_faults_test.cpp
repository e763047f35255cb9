// Real programs on files that fail: in each scenario every operation on a file of the
// server's folder, of the store and of what is imported and exported fails once, then for
// ever, and the disk is full from each on. The program ends by itself with an error that
// names the storage; nothing is lost, and what failed can be done again.
//
// The fault points of tests/sim fail SQLite's files in one process, with every check of
// the simulator; these are all files, as the operating system shows them.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <thread>

#include "sqlite/connection.h"
#include "support/long_profile.h"
#include "support/loopback.h"
#include "support/test_server.h"

using namespace fieldsync::testing;

namespace {

namespace fs = std::filesystem;

using Arguments = std::vector<std::string>;

constexpr const char* key_files[] = {"server.key", "server.crt", "spare.key", "spare.crt"};

// Every operation in the long profile; else one of so many.
std::uint64_t stride() { return long_profile() ? 1 : 23; }

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
  [[nodiscard]] Arguments failing(const Arguments& command, std::uint64_t nth, const std::string& lasting) const {
    Arguments all{"env",
                  "LD_PRELOAD=" FIELDSYNC_FILE_FAULTS,
                  "FIELDSYNC_FAULT_FOLDER=" + files().string(),
                  "FIELDSYNC_FAULT_NTH=" + std::to_string(nth),
                  "FIELDSYNC_FAULT_LASTING=" + lasting,
                  "FIELDSYNC_FAULT_TRACE=" + trace().string()};
    all.insert(all.end(), command.begin(), command.end());
    return limited(all);
  }

  void forget_operations() const { fs::remove(trace()); }
  // The names of the operations of what failing() gave, since forget_operations().
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
  std::function<Arguments()> command;  // asked for once in each trial
  // Whether what the command is to do has been done: once, and nothing else.
  std::function<bool(const Finished&)> is_done;
  std::function<Finished(const Arguments&)> run = [](const Arguments& all) { return fieldsync::testing::run(all); };
};

bool says(const Finished& finished, const std::string& code) {
  return finished.output.find("[" + code + "]\n") != std::string::npos;
}

bool names_storage(const Finished& finished, const std::string& lasting) {
  return finished.exit_code == 1 &&
         (says(finished, "storage_failed") || (lasting == "full" && says(finished, "storage_full")));
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// Whether the program came so far.
bool try_point(const Place& place, const Scenario& scenario, std::uint64_t nth, const std::string& lasting) {
  place.restore();
  const Arguments command = scenario.command();
  place.forget_operations();
  const Finished met = scenario.run(place.failing(command, nth, lasting));
  const auto operations = place.operations();
  const bool reached = nth <= operations.size();
  INFO(scenario.name << ", operation " << nth << " (" << (reached ? operations[nth - 1] : "not reached") << ") "
                     << lasting << ", exit code " << met.exit_code << ":\n"
                     << met.output);
  if (met.exit_code == 0) {
    CHECK(scenario.is_done(met));
    return reached;
  }
  CHECK(names_storage(met, lasting));
  if (scenario.is_done(met)) return reached;
  const Finished again = scenario.run(place.failing(command, 0, lasting));
  INFO("tried again, exit code " << again.exit_code << ":\n" << again.output);
  CHECK(again.exit_code == 0);
  CHECK(scenario.is_done(again));
  return reached;
}

void try_all_points(const Place& place, const Scenario& scenario) {
  place.keep();
  const Arguments command = scenario.command();
  place.forget_operations();
  const Finished clean = scenario.run(place.failing(command, 0, "once"));
  INFO(scenario.name << ":\n" << clean.output);
  REQUIRE(clean.exit_code == 0);
  REQUIRE(scenario.is_done(clean));
  const std::size_t count = place.operations().size();
  std::size_t tried = 0;
  std::size_t reached = 0;
  for (const std::string lasting : {"once", "for-ever", "full"}) {
    for (std::uint64_t nth = 1; nth <= count; nth += stride(), ++tried) {
      if (try_point(place, scenario, nth, lasting)) ++reached;
    }
  }
  place.restore();
  std::cout << scenario.name << ": " << count << " operations, " << reached << " of " << tried
            << " tries reached theirs" << std::endl;
  // Threads make some runs a little shorter than others.
  REQUIRE(tried > 0);
  REQUIRE(reached * 100 >= tried * 90);
}

bool has_whole_keys(const std::string& folder) {
  return std::all_of(std::begin(key_files), std::end(key_files), [&](const std::string file) {
    return count_of(content_of(folder + "/" + file), "-----END ") == 1;
  });
}

// A place that one program works in.
class ProgramPlace : public Place {
 public:
  [[nodiscard]] Arguments command(const Arguments& arguments) const {
    Arguments all = program_;
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
  }
  [[nodiscard]] std::function<Arguments()> always(const Arguments& arguments) const {
    return [this, arguments] { return command(arguments); };
  }
  void succeed(const Arguments& arguments) const {
    const Finished finished = run(command(arguments));
    INFO(finished.output);
    REQUIRE(finished.exit_code == 0);
  }

 protected:
  // `program` is followed by the path of `folder`.
  ProgramPlace(Arguments program, const std::string& folder) : program_(std::move(program)) {
    fs::create_directories(path("."));
    program_.push_back(path(folder));
  }
  void always_with(const Arguments& rest) { program_.insert(program_.end(), rest.begin(), rest.end()); }

 private:
  Arguments program_;
};

// A server's folder without a running server.
class ServerPlace : public ProgramPlace {
 public:
  ServerPlace() : ProgramPlace({FIELDSYNC_SERVER, "--dir"}, "server") {}

  // How often the command's output holds the text; the database is sound.
  [[nodiscard]] std::size_t count(const Arguments& list, const std::string& text) const {
    if (run(command({"check"})).exit_code != 0) return SIZE_MAX;
    const Finished listed = run(command(list));
    return listed.exit_code == 0 ? count_of(listed.output, text) : SIZE_MAX;
  }
};

// Leaves the journal where it is: an app's store needs it.
bool is_sound(const std::string& database) {
  fieldsync::sqlite::Connection connection(database, fieldsync::sqlite::OpenMode::read_write);
  connection.keep_log_at_close(true);
  return connection.integrity_problem().empty();
}

// A store that is enrolled at a running server, whose own files do not fail.
class AppPlace : public ProgramPlace {
 public:
  AppPlace() : AppPlace("key") {}
  // The key file fails too where it is in the place.
  explicit AppPlace(const std::string& key_file) : ProgramPlace({FIELDSYNC_APP, "--store"}, "store") {
    always_with({"--key-file", path(key_file)});
  }

  TestServer office;

  // How often the command's output holds the text; the store is sound.
  [[nodiscard]] std::size_t count(const Arguments& list, const std::string& text) const {
    if (!is_sound(store() + "/fieldsync.db")) return SIZE_MAX;
    const Finished listed = run(command(list));
    return listed.exit_code == 0 ? count_of(listed.output, text) : SIZE_MAX;
  }
};

}  // namespace

TEST_CASE("A server whose files fail while it is made says so, and can be made again") {
  ServerPlace place;
  try_all_points(place, {"init", place.always({"init", "--port", "9443"}), [&](const Finished&) {
                           return has_whole_keys(place.server()) && place.count({"form", "list"}, "interview") == 1;
                         }});
}

TEST_CASE("A server whose files fail while it is administered says so and loses nothing") {
  ServerPlace place;
  place.succeed({"init", "--port", "9443"});
  try_all_points(place, {"scope add", place.always({"scope", "add", "Osh"}), [&](const Finished&) {
                           return place.count({"scope", "list"}, "Osh") == 1;
                         }});
  place.succeed({"scope", "add", "Osh"});
  try_all_points(place, {"scope list", place.always({"scope", "list"}),
                         [&](const Finished& listed) { return count_of(listed.output, "Osh") == 1; }});
  try_all_points(place,
                 {"person add", place.always({"person", "add", "Bakyt", "--scope", "Osh"}), [&](const Finished&) {
                    return place.count({"person", "list"}, "Osh (monitor)") == 1;
                  }});
  place.succeed({"person", "add", "Bakyt", "--scope", "Osh"});
  try_all_points(place,
                 {"enrol-code", place.always({"enrol-code", "Bakyt"}), [&](const Finished& told) {
                    return count_of(told.output, "fieldsync:1:") == 1 && place.count({"scope", "list"}, "Osh") == 1;
                  }});
  write_to(place.path("facilities.csv"), "external_code,names:en,kind\nOSH-1,Osh remand prison,sizo\n");
  try_all_points(
      place,
      {"import",
       place.always({"import", "facility", place.path("facilities.csv"), "--scope", "Osh", "--key", "external_code"}),
       [&](const Finished&) { return place.count({"check"}, ": 1 records from 1 operations,") == 1; }});
  try_all_points(place, {"check", place.always({"check"}),
                         [&](const Finished& told) { return told.output.find("is sound") != std::string::npos; }});
}

TEST_CASE("A server whose files fail while it starts says so, or serves") {
  ServerPlace place;
  const int port = free_port();
  place.succeed({"init", "--port", std::to_string(port)});
  const auto start_and_stop = [&](const Arguments& command) {
    const TemporaryFolder log;
    const std::string output = (log.path() / "log").string();
    Process server(command, output);
    while (server.running() && !accepts(port)) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    server.ask_to_stop();
    const int exit_code = server.wait();
    return Finished{exit_code, content_of(output)};
  };
  try_all_points(place, {"serve", place.always({"serve"}),
                         [&](const Finished& ended) {
                           return ended.exit_code == 0 && place.count({"form", "list"}, "interview") == 1;
                         },
                         start_and_stop});
}

TEST_CASE("An app whose files fail while it is enrolled says so, and can be enrolled again") {
  const AppPlace place;
  // A code is good for one device, and each trial makes a new one.
  const auto enrol = [&] { return place.command({"enrol", place.office.enrolment_text(), "--name", "tablet"}); };
  try_all_points(place,
                 {"enrol", enrol, [&](const Finished&) { return place.run(place.command({"sync"})).exit_code == 0; }});
}

TEST_CASE("An import whose file cannot be read to its end says from which line on") {
  const TemporaryFolder elsewhere;
  const AppPlace place((elsewhere.path() / "key").string());
  place.succeed({"enrol", place.office.enrolment_text(), "--name", "tablet"});
  place.succeed({"sync"});
  std::string lines;
  for (int i = 0; i < 400; ++i)
    lines += R"({"names": ["en:Colony )" + std::to_string(i) +
             R"("], "kind": "sizo"})"
             "\n";
  write_to(place.path("facilities.jsonl"), lines);
  place.keep();
  const Arguments import = place.command({"new", "facility", "--from", place.path("facilities.jsonl")});
  place.forget_operations();
  REQUIRE(fieldsync::testing::run(place.failing(import, 0, "once")).exit_code == 0);
  const auto operations = place.operations();
  // The first read() of the file brings some lines, the second the next.
  const auto is_read = [](const std::string& name) { return name == "read"; };
  const auto first = std::find_if(operations.begin(), operations.end(), is_read);
  const auto second = std::find_if(first + 1, operations.end(), is_read);
  REQUIRE(second != operations.end());
  place.restore();
  const auto nth = static_cast<std::uint64_t>(second - operations.begin() + 1);
  const Finished ended = fieldsync::testing::run(place.failing(import, nth, "once"));
  INFO(ended.output);
  CHECK(ended.exit_code == 1);
  CHECK(says(ended, "storage_failed"));
  const std::size_t saved = place.count({"list", "facility"}, "Colony ");
  CHECK(saved > 0);
  CHECK(saved < 400);
  CHECK(ended.output.find("The import ended at line " + std::to_string(saved + 1) + ".") != std::string::npos);
}

TEST_CASE("An app whose files fail says so, loses no record and doubles none") {
  const AppPlace place;
  place.succeed({"enrol", place.office.enrolment_text(), "--name", "tablet"});
  place.succeed({"sync"});
  const std::string name = "Osh remand prison";
  write_to(place.path("facilities.jsonl"), R"({"names": ["en:)" + name +
                                               R"("], "kind": "sizo"})"
                                               "\n");
  const auto is_saved = [&](const Finished&) { return place.count({"list", "facility"}, name) == 1; };
  try_all_points(place, {"new", place.always({"new", "facility", "names=en:" + name}), is_saved});
  try_all_points(place,
                 {"new --from", place.always({"new", "facility", "--from", place.path("facilities.jsonl")}), is_saved});
  place.succeed({"new", "facility", "names=en:" + name});
  try_all_points(place, {"list", place.always({"list", "facility"}),
                         [&](const Finished& told) { return count_of(told.output, name) == 1; }});
  const auto try_export = [&](const std::string& format, std::size_t lines) {
    const std::string file = place.path("export." + format);
    try_all_points(place, {"export " + format,
                           place.always({"export", "--form", "facility", "--format", format, "--output", file}),
                           [&](const Finished&) {
                             const std::string text = content_of(file);
                             return text.find(name) != std::string::npos && count_of(text, "\n") == lines &&
                                    text.back() == '\n';
                           }});
  };
  try_export("csv", 2);  // with its heading
  try_export("jsonl", 1);
  // What is sent must be new to the office each time.
  int sent = 0;
  const auto save_on_a_new_device = [&] {
    fs::remove_all(place.store());
    place.succeed({"enrol", place.office.enrolment_text(), "--name", "tablet"});
    place.succeed({"sync"});
    place.succeed({"new", "facility", "names=en:Colony " + std::to_string(++sent)});
    return place.command({"sync"});
  };
  try_all_points(place, {"sync", save_on_a_new_device, [&](const Finished&) {
                           return place.count({"--json", "status"}, place.office.digest()) == 1 &&
                                  place.count({"list", "facility"}, "Colony " + std::to_string(sent) + " ") == 1;
                         }});
}
