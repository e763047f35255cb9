// The link between an app and its server breaks after any number of bytes.
#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>
#include <iterator>
#include <memory>
#include <random>
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

void save_visit(Database& database, const std::string& summary) {
  auto editor = must(database.create("visit", must(database.scopes()).front().id));
  REQUIRE(editor.set("summary", summary));
  REQUIRE(editor.save());
}

std::multiset<std::string> visits_on(Database& database) {
  std::multiset<std::string> summaries;
  for (const RecordView& visit : must(database.query({.form = "visit"}))) {
    summaries.insert(std::get<std::string>(visit.find("summary")->values.front().value));
  }
  return summaries;
}

class Link {
 public:
  Link() : proxy_(server_.port()), database_(server_.open("tablet")) {
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
    const auto fresh = server_.open("fresh");
    REQUIRE(fresh->enrol(server_.enrolment_text(), "fresh"));
    must(fresh->sync({}));
    const auto summaries = visits_on(*fresh);
    CHECK(summaries.size() == saved_);
    CHECK(std::set<std::string>(summaries.begin(), summaries.end()).size() == saved_);
    CHECK(must(fresh->scopes()).front().digest == must(database_->scopes()).front().digest);
    CHECK(server_.administer({"check"}).exit_code == 0);
  }
  [[nodiscard]] std::uint64_t broken() const { return broken_; }

 private:
  void save() { save_visit(*database_, "Cell " + std::to_string(++saved_) + " has no window."); }

  TestServer server_;
  CuttingProxy proxy_;
  std::unique_ptr<Database> database_;
  std::uint64_t saved_ = 0;
  std::uint64_t broken_ = 0;
};

// A link for each new device: what is cut is its first conversation.
class FirstLink {
 public:
  FirstLink() : proxy_(server_.port()) {}

 protected:
  [[nodiscard]] std::unique_ptr<Database> new_device() { return server_.open(name_of(++devices_)); }
  [[nodiscard]] Result<Identity> enrol(Database& device, const std::string& text) {
    return device.enrol(through(proxy_, text, server_.port()), name_of(devices_));
  }
  [[nodiscard]] static std::string name_of(int device) { return "device " + std::to_string(device); }

  TestServer server_;
  CuttingProxy proxy_;
  int devices_ = 0;
  std::uint64_t broken_ = 0;
};

class EnrolmentLink : FirstLink {
 public:
  Passes conversation() {
    const auto device = new_device();
    must(enrol(*device, server_.enrolment_text()));
    const Passes carried = proxy_.carried();
    finish(*device);
    return carried;
  }

  // Enrols over a link that is cut, then over a whole one: with the same text, or with
  // another one for the same person.
  void cut_after(Passes passes, bool reset, bool same_text) {
    const auto device = new_device();
    const core::DeviceId id = device->identity().device;
    const std::string text = server_.enrolment_text();
    proxy_.allow(passes, reset);
    const auto cut = enrol(*device, text);
    INFO("cut after " << passes.up << " up, " << passes.down << " down, " << (same_text ? "same text: " : "new text: ")
                      << (cut ? "done" : cut.error().message()));
    CHECK((cut || describe(cut.error().code).retry));
    CHECK(device->identity().enrolled == static_cast<bool>(cut));
    if (!cut) ++broken_;
    if (!cut && rows_of(id) == 1) ++answers_lost_;
    proxy_.allow({}, false);
    const Identity identity = must(enrol(*device, same_text ? text : server_.enrolment_text()));
    CHECK((identity.enrolled && identity.device == id && identity.person_name == "Bakyt"));
    CHECK(rows_of(id) == 1);
    finish(*device);
  }

  // Each device is there once, and so is what it saved.
  void check_all() {
    const auto last = new_device();
    must(enrol(*last, server_.enrolment_text()));
    must(last->sync({}));
    CHECK(visits_on(*last) == saved_);
    CHECK(std::set<std::string>(saved_.begin(), saved_.end()).size() == saved_.size());
    CHECK(server_.administer({"check"}).exit_code == 0);
  }
  [[nodiscard]] std::uint64_t broken() const { return broken_; }
  // The office had enrolled the device, which did not learn of it.
  [[nodiscard]] std::uint64_t answers_lost() const { return answers_lost_; }

 private:
  [[nodiscard]] int rows_of(const core::DeviceId& device) const {
    const std::string list = server_.administer({"device", "list", "--json"}).output;
    int rows = 0;
    for (auto at = list.find(device.hex()); at != std::string::npos; at = list.find(device.hex(), at + 1)) ++rows;
    return rows;
  }
  // The device works: it is told the forms, saves and sends.
  void finish(Database& device) {
    must(device.sync({}));
    const std::string summary = "Seen by " + name_of(devices_) + ".";
    save_visit(device, summary);
    saved_.insert(summary);
    must(device.sync({}));
    const Status status = must(device.status());
    CHECK((status.saved_here == 0 && status.refused == 0 && status.records == saved_.size()));
  }

  std::multiset<std::string> saved_;
  std::uint64_t answers_lost_ = 0;
};

struct Visits {
  int count = 0;
  std::size_t letters_each = 0;
};

class FirstPullLink : FirstLink {
 public:
  explicit FirstPullLink(Visits visits) {
    const auto writer = new_device();
    must(enrol(*writer, server_.enrolment_text()));
    must(writer->sync({}));
    std::mt19937 random(1);
    std::uniform_int_distribution<int> letter('a', 'z');
    for (int i = 0; i < visits.count; ++i) {
      std::string summary = "Visit " + std::to_string(i) + ": ";
      std::generate_n(std::back_inserter(summary), visits.letters_each,
                      [&] { return static_cast<char>(letter(random)); });
      save_visit(*writer, summary);
      saved_.insert(summary);
    }
    must(writer->sync({}));
    digest_ = must(writer->scopes()).front().digest;
  }

  Passes conversation() {
    const auto device = enrolled_device();
    must(device->sync({}));
    return proxy_.carried();
  }

  // A new device's first sync over a link that is cut, then over a whole one.
  void cut_after(Passes passes, bool reset) {
    const auto device = enrolled_device();
    proxy_.allow(passes, reset);
    const auto cut = device->sync({.retries = 0});
    if (!cut) ++broken_;
    INFO("cut after " << passes.up << " up, " << passes.down << " down: " << (cut ? "done" : cut.error().message()));
    CHECK((cut || describe(cut.error().code).retry));
    const auto between = visits_on(*device);
    CHECK(std::includes(saved_.begin(), saved_.end(), between.begin(), between.end()));
    if (!between.empty() && between != saved_) ++halfway_;
    proxy_.allow({}, false);
    must(device->sync({}));
    CHECK(visits_on(*device) == saved_);
    CHECK(must(device->scopes()).front().digest == digest_);
    const Status status = must(device->status());
    CHECK((status.records == saved_.size() && status.open_conflicts == 0));
  }

  // What a device saves after such a beginning arrives.
  void check_all() {
    const auto device = enrolled_device();
    must(device->sync({}));
    save_visit(*device, "The last one.");
    saved_.insert("The last one.");
    must(device->sync({}));
    const auto fresh = enrolled_device();
    must(fresh->sync({}));
    CHECK(visits_on(*fresh) == saved_);
    CHECK(server_.administer({"check"}).exit_code == 0);
  }
  [[nodiscard]] std::uint64_t broken() const { return broken_; }
  // Stopped between two pages.
  [[nodiscard]] std::uint64_t halfway() const { return halfway_; }

 private:
  [[nodiscard]] std::unique_ptr<Database> enrolled_device() {
    auto device = new_device();
    must(enrol(*device, server_.enrolment_text()));
    return device;
  }

  std::multiset<std::string> saved_;
  std::uint64_t digest_ = 0;
  std::uint64_t halfway_ = 0;
};

// Bytes from one cut to the next.
struct Steps {
  std::uint64_t usual = 1;
  std::uint64_t in_long_profile = 1;
};

// Calls `cut(passes, number)` for the moments of a conversation. How many.
template <typename Cut>
std::uint64_t cut_each(const Passes& whole, Steps steps, Cut cut) {
  const std::uint64_t step = long_profile() ? steps.in_long_profile : steps.usual;
  std::uint64_t cuts = 0;
  for (std::uint64_t bytes = 0; bytes < whole.up; bytes += step) cut(Passes{.up = bytes}, cuts++);
  for (std::uint64_t bytes = 0; bytes < whole.down; bytes += step) cut(Passes{.down = bytes}, cuts++);
  return cuts;
}

void tell(std::uint64_t broken, std::uint64_t cuts, const Passes& whole) {
  std::cout << broken << " of " << cuts << " cuts were noticed, of " << whole.up << " bytes up and " << whole.down
            << " down" << std::endl;
}

}  // namespace

TEST_CASE("A link that is cut after any byte, in either direction, loses and doubles nothing") {
  Link link;
  const Passes whole = link.conversation();
  const auto cuts = cut_each(whole, {.usual = 4},
                             [&](Passes passes, std::uint64_t number) { link.cut_after(passes, number % 2 == 0); });
  tell(link.broken(), cuts, whole);
  // What comes after the reply may be missed.
  CHECK(link.broken() * 10 > cuts * 9);
  link.check_all();
}

TEST_CASE("An enrolment that is cut after any byte, in either direction, can be finished") {
  EnrolmentLink link;
  const Passes whole = link.conversation();
  const auto cuts = cut_each(whole, {.usual = 32}, [&](Passes passes, std::uint64_t number) {
    link.cut_after(passes, number % 2 == 0, number / 2 % 2 == 0);
  });
  tell(link.broken(), cuts, whole);
  std::cout << link.answers_lost() << " of the lost answers would have enrolled the device" << std::endl;
  CHECK(link.broken() * 10 > cuts * 9);
  CHECK(link.answers_lost() > 0);
  link.check_all();
}

TEST_CASE("A first pull that is cut after any byte, in either direction, goes on and brings every record once") {
  FirstPullLink link({.count = 12, .letters_each = 60});
  const Passes whole = link.conversation();
  const auto cuts = cut_each(whole, {.usual = 256},
                             [&](Passes passes, std::uint64_t number) { link.cut_after(passes, number % 2 == 0); });
  tell(link.broken(), cuts, whole);
  CHECK(link.broken() * 10 > cuts * 9);
  link.check_all();
}

TEST_CASE("A first pull of several pages, cut after any byte, keeps whole pages and goes on after them") {
  FirstPullLink link({.count = 60, .letters_each = 3'000});
  const Passes whole = link.conversation();
  // Every byte would take hours.
  const auto cuts = cut_each(whole, {.usual = 2'048, .in_long_profile = 32},
                             [&](Passes passes, std::uint64_t number) { link.cut_after(passes, number % 2 == 0); });
  tell(link.broken(), cuts, whole);
  std::cout << link.halfway() << " devices had some of the records" << std::endl;
  CHECK(link.broken() * 10 > cuts * 9);
  CHECK(link.halfway() > 0);
  link.check_all();
}
