// What devices get: others' operations, not their own; the same whatever the pages.
#include <array>

#include "codec/record_codec.h"
#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

constexpr std::size_t busy_operations = 24;

// What three people do in one scope: few records, written anew, over others' values and
// beside them, twice in one batch, and deleted.
class BusyScope {
 public:
  BusyScope() {
    for (core::RecordId& record : records_) record = new_record();
    for (TestDevice& device : devices_) device = office.add_device();
  }

  // The scope's next operation, or two of one batch; its head afterwards.
  std::uint64_t work() {
    const std::uint64_t number = ++pushes_;
    TestDevice& device = devices_[number % devices_.size()];
    const core::RecordId& record = records_[number * number % records_.size()];
    const std::string text(number * 40, 'a');
    const auto beds = writes_beds(static_cast<std::int64_t>(number));
    switch (number % 4) {
      case 0: push(device, {device.save(office.scope, record, {deletes()})}); break;
      case 1: push(device, {device.save(office.scope, record, {writes_text(text), beds})}); break;
      case 2: push(device, {device.save(office.scope, record, {beds})}); break;
      default:
        push(device, {device.save(office.scope, record, {over_last(writes_text(text))}),
                      device.save(office.scope, records_[number % records_.size()], {beds}, 1)});
        break;
    }
    return office.standing(device).head;
  }

  TestOffice office;

 private:
  static core::FieldWrite deletes() { return {{{}, core::existence_field}, core::Deletion{}, {}}; }
  [[nodiscard]] core::FieldWrite over_last(core::FieldWrite write) const {
    write.replaces = {{last_, 0}};
    return write;
  }
  void push(TestDevice& device, const std::vector<core::Operation>& operations) {
    REQUIRE(office.push(device, operations).results_size() == 0);
    last_ = operations.back().id;
  }

  std::array<TestDevice, 3> devices_;
  std::array<core::RecordId, 5> records_;
  core::OperationId last_;
  std::uint64_t pushes_ = 0;
};

std::uint64_t digest_at_office(TestOffice& office, const TestDevice& device) { return office.standing(device).digest; }

}  // namespace

TEST_CASE("A device's own operations are not sent back, and a fresh device gets them") {
  TestOffice office;
  TestDevice author = office.add_device();
  office.pull(author);
  const auto reply = office.push(author, {author.save(office.scope, new_record(), {writes_text("one")}),
                                          author.save(office.scope, new_record(), {writes_text("two")}, 1)});
  REQUIRE(reply.scopes_size() == 1);
  CHECK(reply.scopes(0).changes_size() == 0);
  CHECK(reply.scopes(0).own_first_seq() == 1);
  CHECK_FALSE(reply.scopes(0).cursor().empty());
  TestDevice fresh = office.add_device();
  office.pull(fresh);
  const std::string scope(office.scope.view());
  CHECK(fresh.records[scope].size() == 2);
  CHECK(fresh.digest(scope) == digest_at_office(office, fresh));
}

TEST_CASE("No operation takes effect after its receipt, whatever the device's clock says") {
  TestOffice office;
  constexpr std::int64_t year_2050 = 2'524'608'000'000;
  // The request's clock and the claimed time each lie, alone and together.
  for (const std::int64_t wall : {std::int64_t{0}, office.now.ms, year_2050, INT64_MIN, INT64_MAX}) {
    for (const std::int64_t claimed : {std::int64_t{0}, office.now.ms, year_2050, INT64_MIN, INT64_MAX}) {
      TestDevice device = office.add_device();
      device.clock_ms = wall;
      core::Operation operation = device.save(office.scope, new_record(), {writes_text("x")});
      operation.claimed = {claimed};
      office.push(device, {operation});
    }
  }
  TestDevice reader = office.add_device();
  office.pull(reader);
  const auto& kept = reader.records[std::string(office.scope.view())];
  REQUIRE(kept.size() == 25);
  for (const auto& [id, record] : kept) {
    const auto state = codec::decode_record(record.head, record.body);
    REQUIRE(state);
    REQUIRE(state->stamps.size() == 1);
    CHECK(state->stamps[0].stamp.received == office.now);
    CHECK(state->stamps[0].stamp.effective <= office.now);
  }
}

TEST_CASE("Pages of any budget bring the same records as one page") {
  TestOffice office;
  TestDevice author = office.add_device();
  std::vector<core::RecordId> records;
  for (std::size_t i = 0; i < 60; ++i) {
    records.push_back(new_record());
    office.push(author,
                {author.save(office.scope, records.back(), {writes_text(std::string(20 * i, 'a')), writes_beds(4)})});
  }
  // Old records change again, in one field: they move behind newer ones.
  for (std::size_t i = 0; i < 60; i += 3)
    office.push(author, {author.save(office.scope, records[i], {writes_beds(5)})});
  const std::string scope(office.scope.view());
  TestDevice at_once = office.add_device();
  REQUIRE(office.pull(at_once, 4 * 1024 * 1024) == 1);
  REQUIRE(at_once.records[scope].size() == 60);
  CHECK(at_once.digest(scope) == digest_at_office(office, at_once));
  for (const std::uint32_t budget : {1U, 100U, 500U, 1'000U, 5'000U, 20'000U}) {
    TestDevice device = office.add_device();
    const int pages = office.pull(device, budget);
    INFO("budget " << budget << ", " << pages << " pages");
    CHECK(device.changes_without_record == 0);
    // In brackets: Catch would print every record.
    CHECK((device.records[scope] == at_once.records[scope]));
  }
}

TEST_CASE("Reading a history at once equals reading it as far as any place, and on from there with any budget") {
  BusyScope busy;
  TestOffice& office = busy.office;
  const std::string scope(office.scope.view());
  // Each has read as far as some operation was the newest.
  std::vector<TestDevice> readers{office.add_device()};
  for (std::uint64_t head = 0; head < busy_operations;) {
    head = busy.work();
    readers.push_back(office.add_device());
    REQUIRE(office.pull(readers.back(), 4 * 1024 * 1024) == 1);
  }
  TestDevice at_once = office.add_device();
  REQUIRE(office.pull(at_once, 4 * 1024 * 1024) == 1);
  REQUIRE(at_once.digest(scope) == digest_at_office(office, at_once));
  // Each has read the whole history as far as the end of some page.
  TestDevice by_pages = office.add_device();
  for (bool more = true; more;) {
    v1::SyncRequest request = by_pages.request();
    request.set_reply_budget_bytes(1);
    const auto page = office.sync(by_pages, request);
    REQUIRE(page);
    by_pages.take(*page);
    readers.push_back(by_pages);
    more = page->more();
  }
  for (std::size_t number = 0; number < readers.size(); ++number) {
    for (const std::uint32_t budget : {1U, 200U, 700U, 2'000U, 4U * 1024 * 1024}) {
      TestDevice reader = readers[number];
      const int pages = office.pull(reader, budget);
      INFO("reader " << number << ", budget " << budget << ", " << pages << " pages");
      CHECK(reader.changes_without_record == 0);
      // Heads and bodies. In brackets: Catch would print every record.
      CHECK((reader.records[scope] == at_once.records[scope]));
      CHECK(reader.digest(scope) == at_once.digest(scope));
    }
  }
}

TEST_CASE("A record that is edited twice while a device reads in pages arrives with both edits") {
  TestOffice office;
  TestDevice author = office.add_device();
  const core::RecordId record = new_record();
  office.push(author, {author.save(office.scope, record, {writes_text("first"), writes_beds(1)})});
  TestDevice reader = office.add_device();
  office.pull(reader);
  office.push(author, {author.save(office.scope, record, {writes_text("second")})});
  office.push(author, {author.save(office.scope, new_record(), {writes_text("between")})});
  office.push(author, {author.save(office.scope, record, {writes_beds(2)})});
  office.pull(reader, 1);
  CHECK(reader.digest(std::string(office.scope.view())) == digest_at_office(office, reader));
}

TEST_CASE("A device that is revoked between two pages gets no second one") {
  TestOffice office;
  TestDevice author = office.add_device();
  for (int i = 0; i < 5; ++i) office.push(author, {author.save(office.scope, new_record(), {writes_text("x")})});
  TestDevice reader = office.add_device();
  v1::SyncRequest request = reader.request();
  request.set_reply_budget_bytes(1);
  const auto page = office.sync(reader, request);
  REQUIRE(page);
  CHECK(page->more());
  reader.take(*page);
  office.revoke(reader);
  office.refuses(reader, reader.request(), Errc::device_revoked);
}

TEST_CASE("A person who left a scope may still not write there, and is told to erase it") {
  TestOffice office;
  TestDevice device = office.add_device();
  office.push(device, {device.save(office.scope, new_record(), {writes_text("x")})});
  office.pull(device);
  office.set_role(office.monitor, office.scope, server::Role::none);
  const v1::Batch batch = device.batch({device.save(office.scope, new_record(), {writes_text("late")})});
  const auto reply = office.sync(device, device.request(batch));
  REQUIRE(reply);
  REQUIRE(reply->results_size() == 1);
  CHECK(reply->results(0).code() == "scope_not_found");
  REQUIRE(reply->scopes_gone_size() == 1);
  CHECK(reply->scopes_gone(0) == office.scope.view());
  CHECK(reply->scopes_size() == 0);
  CHECK(office.standing(device).head == 1);
}

TEST_CASE("A device whose digest differs is told to start the scope again") {
  TestOffice office;
  TestDevice author = office.add_device();
  office.push(author, {author.save(office.scope, new_record(), {writes_text("x")})});
  TestDevice reader = office.add_device();
  office.pull(reader);
  v1::SyncRequest request = reader.request();
  request.mutable_positions(0)->set_digest(request.positions(0).digest() + 1);
  const auto reply = office.sync(reader, request);
  REQUIRE(reply);
  REQUIRE(reply->scopes_size() == 1);
  CHECK(reply->scopes(0).restart());
  CHECK(reply->scopes(0).changes_size() == 1);
}

TEST_CASE("A value that arrives after what replaced it leaves no trace on devices that read in between") {
  TestOffice office;
  TestDevice author = office.add_device();
  TestDevice early = office.add_device();
  TestDevice late = office.add_device();
  TestDevice reader = office.add_device();
  const core::RecordId record = new_record();
  const auto writes_over = [](std::string text, const TestDevice& replaced) {
    core::FieldWrite write = writes_text(std::move(text));
    write.replaces = {{{replaced.id, 1}, 0}};
    return write;
  };
  office.push(author, {author.save(office.scope, record, {writes_text("Cold.")})});
  // After a restore: the newest value comes first, then the one that it replaced.
  office.push(early, {early.save(office.scope, record, {writes_over("Cold and damp, no window.", late)})});
  office.pull(reader);
  office.push(late, {late.save(office.scope, record, {writes_over("Cold and damp.", author)})});
  office.pull(reader);
  CHECK(reader.digest(std::string(office.scope.view())) == digest_at_office(office, reader));
}

TEST_CASE("A node that reads an older state gives nothing anew, and begins no history") {
  TestOffice office;
  TestDevice writer = office.add_device();
  TestDevice reader = office.add_device();
  office.push(writer, {writer.save(office.scope, new_record(), {writes_text("before")})});
  office.keep_copy();
  office.push(writer, {writer.save(office.scope, new_record(), {writes_text("after")})});
  office.pull(reader);
  const auto cursors = reader.cursors;
  const auto records = reader.records;
  const auto stale = office.sync_reading_the_copy(reader, reader.request());
  REQUIRE(stale);
  for (const v1::ScopeChanges& changes : stale->scopes()) CHECK_FALSE(changes.restart());
  reader.take(*stale);
  CHECK(reader.cursors == cursors);
  CHECK(reader.records == records);
  // The history is the one that it was: nothing comes again.
  const auto now = office.sync(reader, reader.request());
  REQUIRE(now);
  for (const v1::ScopeChanges& changes : now->scopes()) {
    CHECK_FALSE(changes.restart());
    CHECK(changes.changes_size() == 0);
  }
}
