// A server that was started from an older copy of its database is filled again by
// the devices: nothing is lost, nothing is doubled, conflicts stay.
#include "sync_with_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

using Texts = std::vector<std::string>;

struct Restored {
  TestOffice office;
  std::unique_ptr<StoredDevice> one = add_stored_device(office);
  std::unique_ptr<StoredDevice> two = add_stored_device(office);
  std::unique_ptr<StoredDevice> reader = add_stored_device(office);
  core::RecordId record = new_record();

  core::Operation type(StoredDevice& device, const core::RecordId& where, const std::string& text) {
    return device.type(office.scope, where, office_fields::summary, text);
  }
  void sync_all(int rounds = 2) {
    for (int i = 0; i < rounds; ++i) {
      for (StoredDevice* device : {one.get(), two.get(), reader.get()}) sync(office, *device);
    }
  }
  void check_all_same() {
    for (StoredDevice* device : {one.get(), two.get(), reader.get()}) check_same(office, *device);
  }
  Texts shown(StoredDevice& device, const core::RecordId& where) { return device.texts(where, office_fields::summary); }
  std::uint64_t operations() {
    TestDevice known;
    known.id = one->id;
    return office.standing(known).operations;
  }
};

Texts sorted(Texts texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

}  // namespace

TEST_CASE("Two devices refill a restored server: nothing lost, nothing doubled, conflicts kept") {
  Restored start;
  start.type(*start.one, start.record, "Cell 4.");
  start.sync_all();
  start.office.keep_copy();
  // After the copy: a conflict, an edit of its own, new records, and something refused.
  start.type(*start.one, start.record, "Cell 4 has no window.");
  start.type(*start.two, start.record, "Cell 4 has no heating.");
  const core::RecordId of_one = new_record(), of_two = new_record();
  start.type(*start.one, of_one, "Cell 5.");
  sync(start.office, *start.one, 200);
  start.type(*start.one, of_one, "Cell 5 is wet.");
  start.one->save(start.office.scope, of_one, {writes_beds(501)});
  start.type(*start.two, of_two, "Cell 6.");
  start.sync_all();
  start.check_all_same();
  const std::uint64_t operations = start.operations();
  REQUIRE(operations == 6);

  start.office.restore_copy();
  REQUIRE(start.operations() == 1);
  // Written before the device hears of it.
  start.type(*start.two, of_two, "Cell 6 is dark.");
  start.sync_all(3);
  start.check_all_same();
  CHECK(start.operations() == operations + 1);
  CHECK(sorted(start.shown(*start.reader, start.record)) == Texts{"Cell 4 has no heating.", "Cell 4 has no window."});
  CHECK(start.shown(*start.reader, of_one) == Texts{"Cell 5 is wet."});
  CHECK(start.shown(*start.reader, of_two) == Texts{"Cell 6 is dark."});
  REQUIRE((*start.one)->outbox.refused_count() == 1);
  CHECK((*start.one)->outbox.refused()[0].code == "value_out_of_range");
}

TEST_CASE("A refill goes on after the device was restarted in the middle of it") {
  Restored start;
  start.office.keep_copy();
  for (int i = 0; i < 20; ++i) start.type(*start.one, new_record(), std::string(400, static_cast<char>('a' + i)));
  start.sync_all();
  start.office.restore_copy();
  // The device learns of the loss, sends a part, and does not hear the answer.
  const auto told =
      start.office.service->sync(start.one->id, start.one->request(std::nullopt), server::BodyStyle::frame);
  REQUIRE(told);
  REQUIRE(start.one->take(*told));
  CHECK(start.one->waiting() == 20);
  start.one->restart();
  send_into_the_void(start.office, *start.one, 300);
  start.one->restart();
  start.sync_all(3);
  start.check_all_same();
  CHECK(start.operations() == 20);
}

TEST_CASE("A device that reads between two refills sees the value go that the second one replaced") {
  Restored start;
  start.type(*start.one, start.record, "First.");
  start.sync_all();
  start.office.keep_copy();
  start.type(*start.one, start.record, "Second.");
  sync(start.office, *start.one);
  sync(start.office, *start.two);
  start.type(*start.two, start.record, "Third.");
  start.sync_all();
  REQUIRE(start.shown(*start.reader, start.record) == Texts{"Third."});
  start.office.restore_copy();
  // The third text arrives without the second one, which alone replaced the first.
  sync(start.office, *start.two);
  sync(start.office, *start.reader);
  CHECK(sorted(start.shown(*start.reader, start.record)) == Texts{"First.", "Third."});
  sync(start.office, *start.one);
  start.sync_all();
  start.check_all_same();
  CHECK(start.shown(*start.reader, start.record) == Texts{"Third."});
}

TEST_CASE("A device that comes back when the restored server has grown past its position misses nothing") {
  Restored start;
  start.office.keep_copy();
  for (int i = 0; i < 4; ++i) start.type(*start.one, new_record(), "Before " + std::to_string(i));
  start.sync_all();
  start.office.restore_copy();
  // Somebody who had read nothing of the lost history writes more than was lost.
  const auto newcomer = add_stored_device(start.office);
  for (int i = 0; i < 3; ++i) start.type(*newcomer, start.record, "After " + std::to_string(i));
  const core::RecordId other = new_record();
  for (int i = 0; i < 3; ++i) start.type(*newcomer, other, "Also " + std::to_string(i));
  sync(start.office, *newcomer);
  start.sync_all(3);
  start.check_all_same();
  CHECK(start.shown(*start.reader, start.record) == Texts{"After 2"});
  CHECK(start.reader->shown_records().size() == 6);
}

TEST_CASE("A save on top of a record that the restored server does not have is shown without what was lost") {
  Restored start;
  start.office.keep_copy();
  start.one->save(start.office.scope, start.record, {writes_beds(4)});
  start.sync_all();
  start.office.restore_copy();
  start.type(*start.two, start.record, "Cell 4.");
  // An answer to a request that carried no batch: the scope begins anew, without the record.
  const auto told =
      start.office.service->sync(start.two->id, start.two->request(std::nullopt), server::BodyStyle::frame);
  REQUIRE(told);
  REQUIRE(told->scopes(0).restart());
  REQUIRE(start.two->take(*told));
  const auto beds = [&] {
    return (*start.two)->records.shown(start.record)->siblings({{}, office_fields::beds}).size();
  };
  CHECK(start.shown(*start.two, start.record) == Texts{"Cell 4."});
  CHECK(beds() == 0);
  sync(start.office, *start.two);
  check_same(start.office, *start.two);
  start.sync_all();
  start.check_all_same();
  CHECK(start.shown(*start.reader, start.record) == Texts{"Cell 4."});
  CHECK(beds() == 1);
}

TEST_CASE("A cut that another one overtook arrives late at a restored office, and the device goes on from it") {
  Restored start;
  start.office.keep_copy();
  for (int i = 0; i < 20; ++i) start.type(*start.one, new_record(), std::string(400, static_cast<char>('a' + i)));
  const v1::SyncRequest late = start.one->request(start.one->next_batch());
  // The link is slow: smaller cuts of the same saves, which the office takes.
  sync(start.office, *start.one, 100);
  start.type(*start.one, start.record, "Cell 4.");
  sync(start.office, *start.one, 300);
  start.office.restore_copy();
  const auto answered = start.office.service->sync(start.one->id, late, server::BodyStyle::frame);
  REQUIRE(answered);
  REQUIRE(answered->acknowledged_counter() == 20);
  start.sync_all(3);
  start.check_all_same();
  CHECK(start.operations() == 21);
}

TEST_CASE("What a batch that arrives late at a restored office brings into quarantine is told") {
  Restored start;
  start.office.keep_copy();
  start.office.set_role(start.office.monitor, start.office.other_scope, server::Role::monitor);
  sync(start.office, *start.one);
  start.one->type(start.office.other_scope, start.record, office_fields::summary, "Cell 4.");
  const v1::SyncRequest late = start.one->request(start.one->next_batch());
  sync(start.office, *start.one);
  REQUIRE(start.shown(*start.one, start.record) == Texts{"Cell 4."});
  REQUIRE((*start.one)->outbox.refused_count() == 0);
  // An office that never knew the person as a member there.
  start.office.restore_copy();
  REQUIRE(start.office.service->sync(start.one->id, late, server::BodyStyle::frame));
  sync(start.office, *start.one);
  REQUIRE((*start.one)->outbox.refused_count() == 1);
  const storage::Refusal refused = (*start.one)->outbox.refused()[0];
  CHECK(refused.counter == 1);
  CHECK(refused.record == start.record);
  CHECK(refused.code == "scope_not_found");
  CHECK(start.one->waiting() == 0);
}

TEST_CASE("What was refused, and was applied by a restored office, is a refusal no longer") {
  Restored start;
  start.type(*start.one, start.record, "Cell 4.");
  const v1::SyncRequest late = start.one->request(start.one->next_batch());
  start.office.keep_copy();
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::none);
  sync(start.office, *start.one);
  REQUIRE((*start.one)->outbox.refused_count() == 1);
  start.office.restore_copy();
  REQUIRE(start.office.service->sync(start.one->id, late, server::BodyStyle::frame));
  start.sync_all();
  CHECK((*start.one)->outbox.refused_count() == 0);
  CHECK(start.shown(*start.one, start.record) == Texts{"Cell 4."});
  start.check_all_same();
}

TEST_CASE("What was refused, and was applied by a restored office, is shown before its record comes") {
  Restored start;
  start.type(*start.one, start.record, "Cell 4.");
  const v1::SyncRequest late = start.one->request(start.one->next_batch());
  start.office.keep_copy();
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::none);
  sync(start.office, *start.one);
  REQUIRE((*start.one)->outbox.refused_count() == 1);
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::monitor);
  start.sync_all();
  start.type(*start.two, new_record(), "Cell 5.");
  start.sync_all();
  start.office.restore_copy();
  REQUIRE(start.office.service->sync(start.one->id, late, server::BodyStyle::frame));
  sync(start.office, *start.two);
  // The device's position is behind the record's place in the office's new history.
  const auto told =
      start.office.service->sync(start.one->id, start.one->request(std::nullopt), server::BodyStyle::frame);
  REQUIRE(told);
  REQUIRE(told->results_complete());
  REQUIRE(start.one->take(*told));
  CHECK((*start.one)->outbox.refused_count() == 0);
  CHECK(start.shown(*start.one, start.record) == Texts{"Cell 4."});
  start.sync_all(3);
  CHECK(start.one->waiting() == 0);
  CHECK(start.shown(*start.one, start.record) == Texts{"Cell 4."});
  start.check_all_same();
}

TEST_CASE("What was refused, and was applied by a restored office, comes with a later save of its record") {
  Restored start;
  start.type(*start.one, start.record, "Cell 4.");
  const v1::SyncRequest late = start.one->request(start.one->next_batch());
  start.office.keep_copy();
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::none);
  sync(start.office, *start.one);
  REQUIRE((*start.one)->outbox.refused_count() == 1);
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::monitor);
  start.sync_all();
  start.one->save(start.office.scope, start.record, {writes_beds(4)});
  const v1::SyncRequest later = start.one->request(start.one->next_batch());
  sync(start.office, *start.one);
  start.type(*start.two, new_record(), "Cell 5.");
  start.sync_all();
  REQUIRE(start.shown(*start.one, start.record).empty());
  start.office.restore_copy();
  REQUIRE(start.office.service->sync(start.one->id, late, server::BodyStyle::frame));
  REQUIRE(start.office.service->sync(start.one->id, later, server::BodyStyle::frame));
  sync(start.office, *start.two);
  sync(start.office, *start.one);
  CHECK((*start.one)->outbox.refused_count() == 0);
  CHECK(start.shown(*start.one, start.record) == Texts{"Cell 4."});
  start.sync_all();
  start.check_all_same();
}

TEST_CASE("A save that a restored office refuses is not gone before that is told") {
  Restored start;
  start.office.keep_copy();
  start.office.set_role(start.office.monitor, start.office.other_scope, server::Role::monitor);
  sync(start.office, *start.one);
  start.one->type(start.office.other_scope, start.record, office_fields::summary, "Cell 4.");
  const v1::SyncRequest late = start.one->request(start.one->next_batch());
  sync(start.office, *start.one);
  start.office.restore_copy();
  REQUIRE(start.office.service->sync(start.one->id, late, server::BodyStyle::frame));
  start.office.set_role(start.office.monitor, start.office.other_scope, server::Role::monitor);
  const core::RecordId other = new_record();
  start.one->type(start.office.other_scope, other, office_fields::summary, "Cell 5.");
  const auto answered =
      start.office.service->sync(start.one->id, start.one->request(start.one->next_batch()), server::BodyStyle::frame);
  REQUIRE(answered);
  CHECK(answered->more());
  REQUIRE(start.one->take(*answered));
  CHECK(start.shown(*start.one, start.record) == Texts{"Cell 4."});
  sync(start.office, *start.one);
  CHECK(start.shown(*start.one, start.record).empty());
  CHECK((*start.one)->outbox.refused_count() == 1);
  CHECK(start.shown(*start.one, other) == Texts{"Cell 5."});
}
