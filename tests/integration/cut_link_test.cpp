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
