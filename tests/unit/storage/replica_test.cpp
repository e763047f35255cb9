// What a device does with the server's answers.
#include "storage/replica.h"

#include "sync_with_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

using Texts = std::vector<std::string>;

core::FieldWrite beds_of(std::int64_t beds) { return writes_beds(beds); }

// An office with two monitors' devices that both hold one record.
struct Two {
  TestOffice office;
  std::unique_ptr<StoredDevice> one = add_stored_device(office);
  std::unique_ptr<StoredDevice> two = add_stored_device(office);
  core::RecordId record = new_record();

  Two() {
    type(*one, "Cell 4.");
    sync(office, *one);
    sync(office, *two);
  }
  core::Operation type(StoredDevice& device, const std::string& text) {
    return device.type(office.scope, record, office_fields::summary, text);
  }
  Texts shown(StoredDevice& device) { return device.texts(record, office_fields::summary); }
  Result<v1::SyncReply> reply_to(StoredDevice& device) {
    return office.service->sync(device.id, device.request(device.next_batch()), server::BodyStyle::frame);
  }
};

}  // namespace

TEST_CASE("A device stamps its own operations as the server did, and they are not sent back") {
  Two start;
  for (int i = 0; i < 3; ++i) start.type(*start.one, "Cell " + std::to_string(i));
  start.one->type(start.office.scope, new_record(), office_fields::summary, "Cell 9.");
  sync(start.office, *start.one);
  check_same(start.office, *start.one);
  sync(start.office, *start.two);
  check_same(start.office, *start.two);
  CHECK(start.shown(*start.two) == Texts{"Cell 2"});
}

TEST_CASE("A reply that was lost costs nothing: what is sent again counts once, also when it is cut differently") {
  Two start;
  for (int i = 0; i < 30; ++i)
    start.one->type(start.office.scope, new_record(), office_fields::summary,
                    std::string(400, static_cast<char>('a' + i % 26)) + std::to_string(i));
  send_into_the_void(start.office, *start.one, GENERATE(500U, 1'000'000U));
  sync(start.office, *start.one, GENERATE(300U, 1'000'000U));
  check_same(start.office, *start.one);
  TestDevice known;
  known.id = start.one->id;
  CHECK(start.office.standing(known).operations == 31);
  CHECK(start.office.standing(known).last_counter == 31);
}

TEST_CASE("A reply that cannot be read to its end changes nothing") {
  Two start;
  start.type(*start.one, "Cell 5.");
  start.one->type(start.office.scope, new_record(), office_fields::summary, "Cell 6.");
  sync(start.office, *start.one);
  start.type(*start.two, "Cell 7.");
  const auto good = start.reply_to(*start.two);
  REQUIRE(good);
  REQUIRE(good->scopes(0).changes_size() == 2);
  const auto shown = start.two->shown_records();
  const std::uint64_t digest = start.two->digest(start.office.scope);
  const std::string cursor = (*start.two)->directory.scope(start.office.scope)->cursor;

  std::vector<v1::SyncReply> bad(9, *good);
  bad[0].mutable_scopes(0)->mutable_changes(1)->set_body_frame("not a frame");
  bad[1].mutable_scopes(0)->mutable_changes(1)->set_head("not a head");
  bad[2].mutable_scopes(0)->mutable_changes(1)->clear_content();
  bad[3].set_acknowledged_counter(good->acknowledged_counter() + 1);
  bad[4].add_scopes()->set_scope("short");
  bad[5].add_scopes()->set_scope(std::string(start.office.other_scope.view()));
  // Good frames and bytes that are no record's body.
  v1::RecordChange& with_body = *bad[6].mutable_scopes(0)->mutable_changes(1);
  with_body.set_body_frame(codec::FrameWriter().compress("not a body"));
  bad[7].mutable_scopes(0)->mutable_changes(1)->set_body("not a body");
  // The body of another record.
  bad[8].mutable_scopes(0)->mutable_changes(1)->set_body_frame(codec::FrameWriter().compress(""));
  for (const v1::SyncReply& reply : bad) {
    const auto taken = start.two->take(reply);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == Errc::incompatible_server);
    CHECK((start.two->shown_records() == shown));
    CHECK(start.two->digest(start.office.scope) == digest);
    CHECK(((*start.two)->directory.scope(start.office.scope)->cursor == cursor));
    CHECK(start.two->waiting() == 1);
  }
  REQUIRE(start.two->take(*good));
  check_same(start.office, *start.two);
}

TEST_CASE("A record of another scope than the page's is refused") {
  Two start;
  start.type(*start.one, "Cell 5.");
  sync(start.office, *start.one);
  auto reply = start.reply_to(*start.two);
  REQUIRE(reply);
  start.office.set_role(start.office.monitor, start.office.other_scope, server::Role::monitor);
  reply->mutable_scopes(0)->set_scope(std::string(start.office.other_scope.view()));
  reply->mutable_scopes(0)->set_role(v1::ROLE_MONITOR);
  const auto taken = start.two->take(*reply);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == Errc::incompatible_server);
  CHECK(start.shown(*start.two) == Texts{"Cell 4."});
}

TEST_CASE("What came back before it was acknowledged waits no longer once it is") {
  Two start;
  start.type(*start.one, "Cell 5.");
  send_into_the_void(start.office, *start.one, 1'000'000);
  // Made while the batch was under way: the records have it, what is acknowledged was read before.
  auto early = start.office.service->sync(start.one->id, start.one->request(std::nullopt), server::BodyStyle::frame);
  REQUIRE(early);
  const codec::ChainPosition before = (*start.one)->identity.acknowledged();
  early->set_acknowledged_counter(before.counter);
  early->set_last_batch_hash_prefix(before.hash.data(), codec::previous_hash_prefix_bytes);
  REQUIRE(start.one->take(*early));
  CHECK((*start.one)->outbox.all().size() == 1);
  sync(start.office, *start.one);
  CHECK((*start.one)->outbox.all().empty());
  check_same(start.office, *start.one);
}

TEST_CASE("What others changed goes below what is still unsent, and neither is lost") {
  Two start;
  start.type(*start.one, "Cell 4 has no window.");
  start.type(*start.two, "Cell 4 has no heating.");
  sync(start.office, *start.one);
  // An answer to a request that carried no batch.
  const auto reply =
      start.office.service->sync(start.two->id, start.two->request(std::nullopt), server::BodyStyle::frame);
  REQUIRE(reply);
  REQUIRE(start.two->take(*reply));
  CHECK(start.two->waiting() == 1);
  Texts both = start.shown(*start.two);
  std::sort(both.begin(), both.end());
  CHECK(both == Texts{"Cell 4 has no heating.", "Cell 4 has no window."});
  sync(start.office, *start.two);
  sync(start.office, *start.one);
  check_same(start.office, *start.one);
  check_same(start.office, *start.two);
  CHECK(start.shown(*start.one) == start.shown(*start.two));
  CHECK(start.shown(*start.one).size() == 2);
}

TEST_CASE("A restart keeps the outbox and what the person sees") {
  Two start;
  start.type(*start.two, "Cell 4 has no heating.");
  start.two->type(start.office.scope, new_record(), office_fields::summary, "Cell 5.");
  const auto shown = start.two->shown_records();
  start.two->restart();
  CHECK((start.two->shown_records() == shown));
  CHECK(start.two->waiting() == 2);
  sync(start.office, *start.two);
  check_same(start.office, *start.two);
}

TEST_CASE("An operation that the office refuses disappears from the screen, and its reason stays") {
  Two start;
  start.one->save(start.office.scope, start.record, {beds_of(501)});
  start.type(*start.one, "Cell 4 has no window.");
  const core::RecordId only_refused = new_record();
  start.one->save(start.office.scope, only_refused, {beds_of(-1)});
  sync(start.office, *start.one);
  const auto refused = (*start.one)->outbox.refused();
  REQUIRE(refused.size() == 2);
  CHECK(refused[0].counter == 2);
  CHECK(refused[0].record == start.record);
  CHECK(refused[0].code == "value_out_of_range");
  CHECK(refused[1].record == only_refused);
  CHECK(start.shown(*start.one) == Texts{"Cell 4 has no window."});
  CHECK((*start.one)->records.shown(start.record)->siblings({{}, office_fields::beds}).empty());
  CHECK_FALSE((*start.one)->records.shown(only_refused));
  check_same(start.office, *start.one);
  start.one->restart();
  CHECK((*start.one)->outbox.refused_count() == 2);
}

TEST_CASE("A refusal that was lost with its reply is told when the operation is sent again") {
  Two start;
  start.one->save(start.office.scope, start.record, {beds_of(501)});
  start.type(*start.one, "Cell 4 has no window.");
  send_into_the_void(start.office, *start.one);
  sync(start.office, *start.one);
  const auto refused = (*start.one)->outbox.refused();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].counter == 2);
  CHECK(refused[0].code == "value_out_of_range");
  CHECK((*start.one)->outbox.of_record(start.record, 0).empty());
  check_same(start.office, *start.one);
}

TEST_CASE("A scope that the person left is erased from the device") {
  Two start;
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::none);
  sync(start.office, *start.two);
  CHECK(start.two->shown_records().empty());
  CHECK_FALSE((*start.two)->directory.scope(start.office.scope));
}

TEST_CASE("What is unsent of a scope that the person left is sent first, kept at the office, then erased") {
  Two start;
  start.type(*start.two, "Cell 4 has no heating.");
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::none);
  // The news comes before the batch could be sent: nothing is erased yet.
  const auto reply =
      start.office.service->sync(start.two->id, start.two->request(std::nullopt), server::BodyStyle::frame);
  REQUIRE(reply);
  REQUIRE(reply->scopes_gone_size() == 1);
  REQUIRE(start.two->take(*reply));
  CHECK(start.shown(*start.two) == Texts{"Cell 4 has no heating."});
  sync(start.office, *start.two);
  CHECK(start.two->waiting() == 0);
  CHECK(start.two->shown_records().empty());
  const auto refused = (*start.two)->outbox.refused();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].code == "scope_not_found");
}

TEST_CASE("A scope that the person left while it was to be read anew is erased once nothing waits in it") {
  Two start;
  start.type(*start.two, "Cell 4 has no heating.");
  // As where a change did not fit: no position is named, so that the server says it only with its directory.
  start.two->set_position(start.office.scope, {}, 0);
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::none);
  const auto reply =
      start.office.service->sync(start.two->id, start.two->request(std::nullopt), server::BodyStyle::frame);
  REQUIRE(reply);
  REQUIRE(start.two->take(*reply));
  CHECK(start.shown(*start.two) == Texts{"Cell 4 has no heating."});
  sync(start.office, *start.two);
  CHECK_FALSE((*start.two)->directory.scope(start.office.scope));
  CHECK(start.two->shown_records().empty());
  CHECK((*start.two)->outbox.refused_count() == 1);
}

TEST_CASE("A person who comes back to a scope before what waits there was sent stays in it") {
  Two start;
  start.type(*start.two, "Cell 4 has no heating.");
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::none);
  const auto left =
      start.office.service->sync(start.two->id, start.two->request(std::nullopt), server::BodyStyle::frame);
  REQUIRE(start.two->take(*left));
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::coordinator);
  sync(start.office, *start.two);
  REQUIRE((*start.two)->directory.scope(start.office.scope));
  CHECK((*start.two)->directory.scope(start.office.scope)->role == v1::ROLE_COORDINATOR);
  check_same(start.office, *start.two);
}

TEST_CASE("A device whose copy differs reads the scope anew and keeps its outbox") {
  Two start;
  const auto row = *(*start.two)->directory.scope(start.office.scope);
  start.two->set_position(start.office.scope, row.cursor, row.digest + 1);
  start.type(*start.two, "Cell 4 has no heating.");
  const auto reply =
      start.office.service->sync(start.two->id, start.two->request(std::nullopt), server::BodyStyle::frame);
  REQUIRE(reply);
  REQUIRE(reply->scopes(0).restart());
  REQUIRE(start.two->take(*reply));
  CHECK(start.two->waiting() == 1);
  CHECK(start.shown(*start.two) == Texts{"Cell 4 has no heating."});
  sync(start.office, *start.two);
  check_same(start.office, *start.two);
}
