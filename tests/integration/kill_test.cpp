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

// Moments spread over what the program takes on this machine when nobody kills it, and a
// little more: some of them come after its end.
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
        std::chrono::microseconds(std::uniform_int_distribution<std::int64_t>(0, span_.count() * 5 / 4)(random_)));
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
    names.insert(line.substr(at, line.find_first_of(",\"", at) - at));
  }
  return names;
}

std::uint64_t number_of(const std::string& json, const std::string& name) {
  return std::stoull(json_value(json, name));
}

struct Told {
  std::uint64_t saved = 0;         // operations in all
  std::uint64_t acknowledged = 0;  // of them, by the server
};

// What the person reads, also just after their app died.
Told status_of(const TestServer& server, const std::string& store) {
  const auto began = std::chrono::steady_clock::now();
  const Finished status = server.app(store, {"--json", "status"});
  CHECK(std::chrono::steady_clock::now() - began < restart_max);
  INFO(status.output);
  REQUIRE(status.exit_code == 0);
  const std::uint64_t acknowledged = number_of(status.output, "sent") + number_of(status.output, "durable");
  return {acknowledged + number_of(status.output, "saved_here"), acknowledged};
}

// How many operations of the one device the server has.
std::uint64_t at_server(const TestServer& server) {
  const Finished devices = server.administer({"device", "list", "--json"});
  INFO(devices.output);
  REQUIRE(devices.exit_code == 0);
  return number_of(devices.output, "operations");
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
  int interrupted = 0, half_sent = 0;
  for (int round = 0; round < rounds; ++round) {
    tell_progress(round, rounds);
    REQUIRE(server.app("Bakyt", {"new", "facility", "--from", write_records(server, round)}).exit_code == 0);
    Process client(server.app_command("Bakyt", {"sync"}), server.path("client.log"));
    moments.wait();
    server.kill();
    if (client.running()) ++interrupted;
    // A device sends again what a server has lost: so it is asked before that.
    const bool alone = round % 4 != 0;
    if (alone) client.kill();
    const Told told = alone ? status_of(server, "Bakyt") : Told{};
    // Else it may try again against the server that comes back, or give up: both are fine.
    const auto began = std::chrono::steady_clock::now();
    server.start();
    CHECK(std::chrono::steady_clock::now() - began < restart_max);
    if (alone) {
      const std::uint64_t known = at_server(server);
      INFO("round " << round << ": " << told.acknowledged << " acknowledged, " << known << " at the server");
      REQUIRE(known >= told.acknowledged);
      REQUIRE(known <= told.saved);
      if (known > told.saved - records_per_round) ++half_sent;
    }
    client.wait();
    const Finished again = server.app("Bakyt", {"sync"});
    INFO("round " << round << ": " << again.output);
    REQUIRE(again.exit_code == 0);
    REQUIRE(server.digest("Bakyt") == server.digest());
  }
  std::cout << interrupted << " of " << rounds << " syncs were interrupted" << std::endl;
  CHECK(interrupted > 0);
  CHECK(half_sent > 0);
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
  std::uint64_t saved = records_per_round;
  std::set<std::string> returned;  // saves of which the person was told
  for (int round = 0; round < rounds; ++round) {
    tell_progress(round, rounds);
    const std::string file = write_records(server, round);
    {
      Process saving(server.app_command("Bakyt", {"new", "facility", "--from", file}), server.path("client.log"));
      saving_moments.wait();
      const bool done = !saving.running();
      saving.kill();
      if (done) {
        REQUIRE(saving.wait() == 0);
        for (int i = 0; i < records_per_round; ++i)
          returned.insert("facility " + std::to_string(round) + '-' + std::to_string(i));
      } else {
        ++interrupted;
      }
      const Told told = status_of(server, "Bakyt");
      INFO("round " << round << ": " << saved << " were saved, now " << told.saved);
      REQUIRE(told.saved >= saved + (done ? records_per_round : 0));
      saved = told.saved;
    }
    Process sending(server.app_command("Bakyt", {"sync"}), server.path("client.log"));
    sending_moments.wait();
    if (sending.running()) ++interrupted;
    sending.kill();
    INFO("round " << round);
    REQUIRE(status_of(server, "Bakyt").saved == saved);
  }
  std::cout << interrupted << " of " << 2 * rounds << " programs were interrupted" << std::endl;
  CHECK(interrupted > 0);
  check_agreement(server, "Bakyt");
  const auto names = names_on(server, "fresh");
  // Each operation makes one record.
  CHECK(names.size() == saved);
  CHECK_FALSE(returned.empty());
  for (const std::string& name : returned) {
    INFO(name);
    CHECK(names.contains(name));
  }
  CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
}
