// Programs die at any moment. What was acknowledged stays, nothing is doubled,
// and the next sync goes on from there.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "support/long_profile.h"
#include "support/test_server.h"

using namespace fieldsync::testing;

namespace {

constexpr int records_per_round = 60;
constexpr std::chrono::seconds restart_max{2};

int kill_rounds() { return long_profile() ? 1000 : 50; }

// FIELDSYNC_SEED repeats a run.
std::mt19937 seeded() {
  const char* given = std::getenv("FIELDSYNC_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : std::random_device{}();
  std::cout << "FIELDSYNC_SEED=" << seed << std::endl;
  return std::mt19937(seed);
}

// The long profile takes many minutes.
void tell_progress(int round, int rounds) {
  if (long_profile() && round % 100 == 0) std::cout << "round " << round << " of " << rounds << std::endl;
}

// Moments spread over what the program takes on this machine when nobody kills it, and
// half as much again: some programs come to their end.
class Moments {
 public:
  explicit Moments(std::mt19937& random) : random_(random) {}

  template <typename Program>
  void measure(Program program) {
    const auto start = std::chrono::steady_clock::now();
    program();
    span_ = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
  }
  void wait() {
    std::this_thread::sleep_for(
        std::chrono::microseconds(std::uniform_int_distribution<std::int64_t>(0, span_.count() * 3 / 2)(random_)));
  }

 private:
  std::mt19937& random_;
  std::chrono::microseconds span_{60'000};
};

std::string facility_name(int round, int i) { return "facility " + std::to_string(round) + '-' + std::to_string(i); }

std::string write_records(const TestServer& server, int round) {
  const std::string file = server.path("records.jsonl");
  std::ofstream out(file);
  for (int i = 0; i < records_per_round; ++i) {
    out << R"({"names": ["en:)" << facility_name(round, i) << R"("], "kind": "sizo", "capacity": )" << i << "}\n";
  }
  return file;
}

// How often each name occurs on a store: a lost or doubled record shows.
std::multiset<std::string> names_on(const TestServer& server, const std::string& store) {
  const std::string file = server.path("export.jsonl");
  std::remove(file.c_str());
  const Finished exported = server.app(store, {"export", "--form", "facility", "--format", "jsonl", "--output", file});
  INFO(exported.output);
  REQUIRE(exported.exit_code == 0);
  std::ifstream in(file);
  std::multiset<std::string> names;
  for (std::string line; std::getline(in, line);) {
    // In the record's title, of its name and its kind.
    const auto at = line.find("facility ");
    REQUIRE(at != std::string::npos);
    names.insert(line.substr(at, line.find_first_of(",\"", at) - at));
  }
  return names;
}

std::uint64_t number_in(const std::string& json, const std::string& name) {
  return std::stoull(json_value(json, name));
}

// How many saves a store holds, and how many of them it was told are at the office.
// Their counters have no gap, and nothing is refused here.
struct Counters {
  std::uint64_t last = 0;
  std::uint64_t acknowledged = 0;
};

Counters counters_on(const TestServer& server, const std::string& store) {
  const Finished status = server.app(store, {"--json", "status"});
  INFO(status.output);
  REQUIRE(status.exit_code == 0);
  REQUIRE(json_value(status.output, "refused") == "0");
  const std::uint64_t acknowledged = number_in(status.output, "sent") + number_in(status.output, "durable");
  return {acknowledged + number_in(status.output, "saved_here"), acknowledged};
}

// What the device knows at this moment, though its program has the store and will go on.
Counters counters_of_paused(const TestServer& server, const std::string& store) {
  const std::string image = store + "-image";
  std::filesystem::remove_all(server.path(image));
  std::filesystem::copy(server.path(store), server.path(image), std::filesystem::copy_options::recursive);
  return counters_on(server, image);
}

// The app is started again, and is ready in time.
Counters counters_after_restart(const TestServer& server, const std::string& store) {
  const auto began = std::chrono::steady_clock::now();
  const Counters counters = counters_on(server, store);
  CHECK(std::chrono::steady_clock::now() - began < restart_max);
  return counters;
}

// To be asked before any device speaks to the server again: it would send once more what
// the server has lost, and nobody would notice.
void check_still_there(const TestServer& server, std::uint64_t acknowledged) {
  const std::string device = server.administer({"device", "list", "--json"}).output;
  const std::string scope = server.administer({"scope", "list", "--json"}).output;
  INFO("acknowledged " << acknowledged << ", the server has\n" << device << scope);
  REQUIRE(number_in(device, "operations") >= acknowledged);
  REQUIRE(number_in(scope, "operations") >= acknowledged);
}

// The person sees the same everywhere.
void check_agreement(const TestServer& server, const std::string& author) {
  const Finished synced = server.app(author, {"sync"});
  INFO(synced.output);
  REQUIRE(synced.exit_code == 0);
  const std::string status = server.app(author, {"--json", "status"}).output;
  INFO(status);
  CHECK(json_value(status, "saved_here") == "0");
  CHECK(json_value(status, "refused") == "0");
  const std::string fresh = "fresh";
  server.enrol(fresh);
  CHECK(server.digest(author) == server.digest());
  CHECK(server.digest(fresh) == server.digest());
  CHECK(names_on(server, fresh) == names_on(server, author));
  const Finished sound = server.administer({"check"});
  INFO(sound.output);
  CHECK(sound.exit_code == 0);
}

std::set<std::string> names_of_round(int round) {
  std::set<std::string> names;
  for (int i = 0; i < records_per_round; ++i) names.insert(facility_name(round, i));
  return names;
}

// A round's records are saved on Bakyt's store: in even rounds by the command, which tells
// of all of them when it ends, in odd ones by an app that tells of each.
class Saving {
 public:
  Saving(const TestServer& server, int round)
      : round_(round), told_(server.path("told.log")), process_(command(server), prepared(told_)) {}

  [[nodiscard]] bool by_command() const { return round_ % 2 == 0; }
  [[nodiscard]] bool running() { return process_.running(); }
  // The names that it had told by its end.
  [[nodiscard]] std::set<std::string> ended() { return told(process_.wait()); }
  [[nodiscard]] std::set<std::string> killed() {
    process_.kill();
    return told(process_.wait());
  }

 private:
  [[nodiscard]] std::vector<std::string> command(const TestServer& server) const {
    if (by_command()) return server.app_command("Bakyt", {"new", "facility", "--from", write_records(server, round_)});
    return {FIELDSYNC_SAVING_APP, server.path("Bakyt"), server.key_file(), "facility " + std::to_string(round_),
            std::to_string(records_per_round)};
  }
  static const std::string& prepared(const std::string& file) {
    std::remove(file.c_str());
    return file;
  }
  [[nodiscard]] std::set<std::string> told(int exit_code) const {
    INFO(content_of(told_));
    CHECK((exit_code == 0 || exit_code == -SIGKILL));
    if (by_command()) return exit_code == 0 ? names_of_round(round_) : std::set<std::string>();
    std::set<std::string> names;
    std::ifstream in(told_);
    for (std::string name; std::getline(in, name);) names.insert(name);
    return names;
  }

  int round_;
  std::string told_;
  Process process_;
};

}  // namespace

TEST_CASE("A server that is killed again and again while a device sends loses and doubles nothing") {
  auto random = seeded();
  const int rounds = kill_rounds();
  TestServer server;
  server.enrol("Bakyt");
  Moments moments(random);
  REQUIRE(server.app("Bakyt", {"new", "facility", "--from", write_records(server, rounds)}).exit_code == 0);
  moments.measure([&] { REQUIRE(server.app("Bakyt", {"sync"}).exit_code == 0); });
  int interrupted = 0, told_some = 0;
  for (int round = 0; round < rounds; ++round) {
    tell_progress(round, rounds);
    const std::uint64_t before = counters_on(server, "Bakyt").acknowledged;
    REQUIRE(server.app("Bakyt", {"new", "facility", "--from", write_records(server, round)}).exit_code == 0);
    Process client(server.app_command("Bakyt", {"sync"}), server.path("client.log"));
    moments.wait();
    REQUIRE(server.running());
    server.kill();
    if (client.running()) ++interrupted;
    client.pause();
    const Counters told = counters_of_paused(server, "Bakyt");
    if (told.acknowledged > before) ++told_some;
    const auto began = std::chrono::steady_clock::now();
    server.start();
    CHECK(std::chrono::steady_clock::now() - began < restart_max);
    check_still_there(server, told.acknowledged);
    // It may try again against the server that came back, or give up: both are fine.
    client.go_on();
    if (round % 2 == 0) client.kill();
    const int ended = client.wait();
    CHECK((ended >= 0 || ended == -SIGKILL));
    const Finished again = server.app("Bakyt", {"sync"});
    INFO("round " << round << ": " << again.output);
    REQUIRE(again.exit_code == 0);
    REQUIRE(server.digest("Bakyt") == server.digest());
  }
  std::cout << interrupted << " of " << rounds << " syncs were interrupted, " << told_some
            << " after an acknowledgement" << std::endl;
  CHECK(interrupted > rounds / 4);
  CHECK(told_some > 0);
  check_agreement(server, "Bakyt");
  const auto names = names_on(server, "fresh");
  CHECK(names.size() == static_cast<std::size_t>((rounds + 1) * records_per_round));
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
}

TEST_CASE("An app that is killed again and again while it saves or sends keeps every save that it told of") {
  auto random = seeded();
  const int rounds = kill_rounds();
  TestServer server;
  server.enrol("Bakyt");
  Moments command_moments(random), app_moments(random), sending_moments(random);
  std::set<std::string> told = names_of_round(rounds);
  told.merge(names_of_round(rounds + 1));
  command_moments.measure([&] { REQUIRE(Saving(server, rounds).ended().size() == records_per_round); });
  app_moments.measure([&] { REQUIRE(Saving(server, rounds + 1).ended().size() == records_per_round); });
  sending_moments.measure([&] { REQUIRE(server.app("Bakyt", {"sync"}).exit_code == 0); });
  std::uint64_t saved = counters_on(server, "Bakyt").last;
  REQUIRE(saved == told.size());
  int interrupted = 0, interrupted_between_saves = 0;
  for (int round = 0; round < rounds; ++round) {
    tell_progress(round, rounds);
    INFO("round " << round);
    std::set<std::string> told_now;
    {
      Saving saving(server, round);
      (saving.by_command() ? command_moments : app_moments).wait();
      if (saving.running()) ++interrupted;
      told_now = saving.killed();
    }
    if (!told_now.empty() && told_now.size() < records_per_round) ++interrupted_between_saves;
    // Before it is sent: what is lost here could come back from the office.
    const Counters kept = counters_after_restart(server, "Bakyt");
    REQUIRE(kept.last >= saved + told_now.size());
    saved = kept.last;
    told.merge(told_now);
    Process sending(server.app_command("Bakyt", {"sync"}), server.path("client.log"));
    sending_moments.wait();
    if (sending.running()) ++interrupted;
    sending.kill();
    const Counters sent = counters_after_restart(server, "Bakyt");
    REQUIRE(sent.last == saved);
    check_still_there(server, sent.acknowledged);
  }
  std::cout << interrupted << " of " << 2 * rounds << " programs were interrupted, " << interrupted_between_saves
            << " between two saves; " << told.size() << " of " << saved << " saves were told" << std::endl;
  CHECK(interrupted > rounds / 2);
  CHECK(interrupted_between_saves > rounds / 100);
  check_agreement(server, "Bakyt");
  const auto names = names_on(server, "fresh");
  CHECK(names.size() == saved);
  const std::set<std::string> distinct(names.begin(), names.end());
  CHECK(distinct.size() == names.size());
  std::vector<std::string> lost;
  std::set_difference(told.begin(), told.end(), distinct.begin(), distinct.end(), std::back_inserter(lost));
  CHECK(lost == std::vector<std::string>());
}
