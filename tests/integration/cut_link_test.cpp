// The link between an app and its server breaks after any number of bytes.
#include <catch2/catch.hpp>
#include <iostream>
#include <set>

#include "fieldsync/database.h"
#include "support/cutting_proxy.h"
#include "support/long_profile.h"
#include "support/test_server.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

template <typename T>
T must(Result<T> result) {
  INFO((result ? std::string() : result.error().message()));
  REQUIRE(result);
  return std::move(*result);
}

// The same text to another port.
std::string through(const CuttingProxy& proxy, std::string enrolment, int server_port) {
  const std::string direct = ':' + std::to_string(server_port) + ':';
  const auto at = enrolment.find(direct);
  REQUIRE(at != std::string::npos);
  return enrolment.replace(at, direct.size(), ':' + std::to_string(proxy.port()) + ':');
}

class Link {
 public:
  Link() : proxy_(server_.port()), database_(must(Database::open({.directory = server_.path("tablet")}))) {
    REQUIRE(database_->enrol(through(proxy_, server_.enrolment_text(), server_.port()), "tablet"));
    must(database_->sync({}));
  }

  // What one save costs on the wire.
  Passes conversation() {
    save();
    proxy_.allow({}, false);
    must(database_->sync({}));
    return proxy_.carried();
  }

  // Saves, syncs over a link that is cut, then over a whole one.
  void cut_after(Passes passes, bool reset) {
    save();
    proxy_.allow(passes, reset);
    const auto cut = database_->sync({.retries = 0});
    if (!cut) ++broken_;
    INFO("cut after " << passes.up << " up, " << passes.down << " down: " << (cut ? "done" : cut.error().message()));
    CHECK((cut || describe(cut.error().code).retry));
    const Status between = must(database_->status());
    CHECK(between.saved_here + between.sent + between.durable == saved_);
    proxy_.allow({}, false);
    must(database_->sync({}));
    REQUIRE(must(database_->status()).saved_here == 0);
  }

  // What a new device's first request and its first pull cost, each the greater of both.
  Passes first_conversations() {
    const auto database = open_newcomer();
    proxy_.allow({}, false);
    REQUIRE(database->enrol(enrolment(), "newcomer"));
    const Passes enrolling = proxy_.carried();
    proxy_.allow({}, false);
    must(database->sync({}));
    const Passes pulling = proxy_.carried();
    return {.up = std::max(enrolling.up, pulling.up), .down = std::max(enrolling.down, pulling.down)};
  }

  // A new device enrols and reads everything, both over a link that is cut, then over a
  // whole one.
  void begin_cut_after(Passes passes, bool reset) {
    const auto database = open_newcomer();
    const std::string text = enrolment();
    INFO("cut after " << passes.up << " up, " << passes.down << " down");
    proxy_.allow(passes, reset);
    const auto enrolled = database->enrol(text, "newcomer");
    if (!enrolled) {
      INFO(enrolled.error().message());
      CHECK(describe(enrolled.error().code).retry);
      proxy_.allow({}, false);
      REQUIRE(database->enrol(text, "newcomer"));
    }
    proxy_.allow(passes, reset);
    const auto cut = database->sync({.retries = 0});
    if (!enrolled || !cut) ++broken_;
    INFO((cut ? "done" : cut.error().message()));
    CHECK((cut || describe(cut.error().code).retry));
    proxy_.allow({}, false);
    must(database->sync({}));
    CHECK(must(database->query({.form = "visit"})).size() == saved_);
  }

  // Everything once, everywhere.
  void check_all() {
    REQUIRE(must(database_->status()).refused == 0);
    const auto fresh = must(Database::open({.directory = server_.path("fresh")}));
    REQUIRE(fresh->enrol(server_.enrolment_text(), "fresh"));
    must(fresh->sync({}));
    std::multiset<std::string> summaries;
    for (const RecordView& visit : must(fresh->query({.form = "visit"}))) {
      summaries.insert(std::get<std::string>(visit.find("summary")->values.front().value));
    }
    CHECK(summaries.size() == saved_);
    CHECK(std::set<std::string>(summaries.begin(), summaries.end()).size() == saved_);
    CHECK(must(fresh->scopes()).front().digest == must(database_->scopes()).front().digest);
    CHECK(server_.administer({"check"}).exit_code == 0);
  }
  [[nodiscard]] std::uint64_t broken() const { return broken_; }

 private:
  std::unique_ptr<Database> open_newcomer() {
    return must(Database::open({.directory = server_.path("newcomer " + std::to_string(++newcomers_))}));
  }
  std::string enrolment() { return through(proxy_, server_.enrolment_text(), server_.port()); }
  void save() {
    auto editor = must(database_->create("visit", must(database_->scopes()).front().id));
    REQUIRE(editor.set("summary", "Cell " + std::to_string(++saved_) + " has no window."));
    REQUIRE(editor.save());
  }

  TestServer server_;
  CuttingProxy proxy_;
  std::unique_ptr<Database> database_;
  std::uint64_t saved_ = 0;
  std::uint64_t broken_ = 0;
  std::uint64_t newcomers_ = 0;
};

}  // namespace

TEST_CASE("A link that is cut after any byte, in either direction, loses and doubles nothing") {
  Link link;
  const Passes whole = link.conversation();
  // Every byte in the long profile.
  const std::uint64_t step = long_profile() ? 1 : 4;
  std::uint64_t cuts = 0;
  for (std::uint64_t bytes = 0; bytes < whole.up; bytes += step, ++cuts) link.cut_after({.up = bytes}, bytes % 2 == 0);
  for (std::uint64_t bytes = 0; bytes < whole.down; bytes += step, ++cuts)
    link.cut_after({.down = bytes}, bytes % 2 == 0);
  std::cout << link.broken() << " of " << cuts << " cuts were noticed, of " << whole.up << " bytes up and "
            << whole.down << " down" << std::endl;
  // What comes after the reply may be missed.
  CHECK(link.broken() * 10 > cuts * 9);
  link.check_all();
}

TEST_CASE("An enrolment and a first sync that are cut after any byte are finished later") {
  Link link;
  for (int i = 0; i < 5; ++i) static_cast<void>(link.conversation());
  const Passes whole = link.first_conversations();
  // The first pull is long: every seventh byte in the long profile.
  const std::uint64_t step = long_profile() ? 7 : 97;
  std::uint64_t cuts = 0;
  for (std::uint64_t bytes = 0; bytes < whole.up; bytes += step, ++cuts)
    link.begin_cut_after({.up = bytes}, bytes % 2 == 0);
  for (std::uint64_t bytes = 0; bytes < whole.down; bytes += step, ++cuts)
    link.begin_cut_after({.down = bytes}, bytes % 2 == 0);
  std::cout << link.broken() << " of " << cuts << " beginnings were cut, of " << whole.up << " bytes up and "
            << whole.down << " down" << std::endl;
  CHECK(link.broken() * 10 > cuts * 9);
  link.check_all();
}
