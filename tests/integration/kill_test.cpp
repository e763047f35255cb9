// Programs die at any moment. What was acknowledged stays, nothing is doubled,
// and the next sync goes on from there.
#include <catch2/catch.hpp>
#include <chrono>
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

// Moments spread over what the program takes on this machine when nobody kills it.
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
        std::chrono::microseconds(std::uniform_int_distribution<std::int64_t>(0, span_.count())(random_)));
  }

 private:
  std::mt19937& random_;
  std::chrono::microseconds span_{60'000};
};

std::string write_records(const TestServer& server, int round) {
  const std::string file = server.path("records.jsonl");
  std::ofstream out(file);
  for (int i = 0; i < records_per_round; ++i) {
    out << R"({"names": ["en:)"
        << "facility " << round << '-' << i << R"("], "kind": "sizo", "capacity": )" << i << "}\n";
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
    const auto at = line.find("facility ");
    REQUIRE(at != std::string::npos);
    names.insert(line.substr(at, line.find('"', at) - at));
  }
  return names;
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

}  // namespace

TEST_CASE("A server that is killed again and again while a device sends loses and doubles nothing") {
  auto random = seeded();
  const int rounds = kill_rounds();
  TestServer server;
  server.enrol("Bakyt");
  Moments moments(random);
  REQUIRE(server.app("Bakyt", {"new", "facility", "--from", write_records(server, rounds)}).exit_code == 0);
  moments.measure([&] { REQUIRE(server.app("Bakyt", {"sync"}).exit_code == 0); });
  int interrupted = 0;
  for (int round = 0; round < rounds; ++round) {
    tell_progress(round, rounds);
    REQUIRE(server.app("Bakyt", {"new", "facility", "--from", write_records(server, round)}).exit_code == 0);
    Process client(server.app_command("Bakyt", {"sync"}), server.path("client.log"));
    moments.wait();
    server.kill();
    if (client.running()) ++interrupted;
    // It may try again against the server that comes back, or give up: both are fine.
    const auto began = std::chrono::steady_clock::now();
    server.start();
    CHECK(std::chrono::steady_clock::now() - began < restart_max);
    if (round % 2 == 0) client.kill();
    client.wait();
    const Finished again = server.app("Bakyt", {"sync"});
    INFO("round " << round << ": " << again.output);
    REQUIRE(again.exit_code == 0);
    REQUIRE(server.digest("Bakyt") == server.digest());
  }
  std::cout << interrupted << " of " << rounds << " syncs were interrupted" << std::endl;
  CHECK(interrupted > 0);
  check_agreement(server, "Bakyt");
  const auto names = names_on(server, "fresh");
  CHECK(names.size() == static_cast<std::size_t>((rounds + 1) * records_per_round));
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
}

TEST_CASE("An app that is killed again and again while it saves or sends keeps whole records and sends each once") {
  auto random = seeded();
  const int rounds = kill_rounds();
  TestServer server;
  server.enrol("Bakyt");
  Moments saving_moments(random), sending_moments(random);
  const std::string first = write_records(server, rounds);
  saving_moments.measure([&] { REQUIRE(server.app("Bakyt", {"new", "facility", "--from", first}).exit_code == 0); });
  sending_moments.measure([&] { REQUIRE(server.app("Bakyt", {"sync"}).exit_code == 0); });
  int interrupted = 0;
  for (int round = 0; round < rounds; ++round) {
    tell_progress(round, rounds);
    const std::string file = write_records(server, round);
    {
      Process saving(server.app_command("Bakyt", {"new", "facility", "--from", file}), server.path("client.log"));
      saving_moments.wait();
      if (saving.running()) ++interrupted;
      saving.kill();
    }
    Process sending(server.app_command("Bakyt", {"sync"}), server.path("client.log"));
    sending_moments.wait();
    if (sending.running()) ++interrupted;
    sending.kill();
    const Finished status = server.app("Bakyt", {"--json", "status"});
    INFO("round " << round << ": " << status.output);
    REQUIRE(status.exit_code == 0);
  }
  std::cout << interrupted << " of " << 2 * rounds << " programs were interrupted" << std::endl;
  CHECK(interrupted > 0);
  check_agreement(server, "Bakyt");
  const auto names = names_on(server, "fresh");
  // Some rounds came far enough to save.
  CHECK(names.size() > static_cast<std::size_t>(records_per_round));
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
}
