// One bad operation goes to quarantine with its reason and holds up nobody.
#include "codec/digest.h"
#include "codec/operation_codec.h"
#include "codec/record_codec.h"
#include "fieldsync/v1/operation.pb.h"
#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

TEST_CASE("An operation with an unknown form is kept in quarantine and the rest is applied") {
  TestOffice office;
  TestDevice device = office.add_device();
  office.quarantines(device, device.save(office.scope, new_record(), {writes_text("x")}, 0, "diary"),
                     Errc::unknown_form);
}

TEST_CASE("A value of another type than the field's is refused") {
  TestOffice office;
  TestDevice device = office.add_device();
  core::FieldWrite write = writes_text("many");
  write.key.field = office_fields::beds;
  office.quarantines(device, device.save(office.scope, new_record(), {write}), Errc::wrong_value_type);
}

TEST_CASE("A value outside the form's range is refused") {
  TestOffice office;
  TestDevice device = office.add_device();
  office.quarantines(device, device.save(office.scope, new_record(), {writes_beds(501)}), Errc::value_out_of_range);
  office.quarantines(device, device.save(office.scope, new_record(), {writes_beds(-1)}), Errc::value_out_of_range);
}

TEST_CASE("A text of more than 65,536 bytes is refused, one of exactly that is not") {
  TestOffice office;
  TestDevice device = office.add_device();
  office.quarantines(device, device.save(office.scope, new_record(), {writes_text(std::string(65'537, 'a'))}),
                     Errc::value_too_large);
  const auto reply =
      office.push(device, {device.save(office.scope, new_record(), {writes_text(std::string(65'536, 'a'))})});
  CHECK(reply.results_size() == 0);
}

TEST_CASE("Text that is not UTF-8 is refused as text") {
  TestOffice office;
  TestDevice device = office.add_device();
  std::string bytes = codec::encode_operation(device.save(office.scope, new_record(), {writes_text("abc")}));
  bytes[bytes.find("abc")] = static_cast<char>(0xFF);
  office.quarantines(device, bytes, Errc::invalid_text);
}

TEST_CASE("Text with a control character is refused as text") {
  TestOffice office;
  TestDevice device = office.add_device();
  office.quarantines(device, device.save(office.scope, new_record(), {writes_text(std::string("a\0b", 3))}),
                     Errc::invalid_text);
}

TEST_CASE("Bytes that are no operation are kept in quarantine") {
  TestOffice office;
  TestDevice device = office.add_device();
  office.quarantines(device, std::string("\xff\xff\xff nothing"), Errc::malformed_operation);
  office.quarantines(device, std::string(), Errc::malformed_operation);
}

TEST_CASE("An operation cut short at any byte is refused and never crashes") {
  TestOffice office;
  TestDevice device = office.add_device();
  const std::string whole =
      codec::encode_operation(device.save(office.scope, new_record(), {writes_text("Камера 4"), writes_beds(4)}));
  std::vector<std::string> cuts;
  for (std::size_t size = 0; size < whole.size(); ++size) cuts.push_back(whole.substr(0, size));
  const v1::Batch batch = device.batch_of(list_of(cuts));
  const auto reply = office.sync(device, device.request(batch));
  REQUIRE(reply);
  CHECK(reply->acknowledged_counter() == cuts.size());
  // A cut between two writes leaves a whole, smaller operation.
  CHECK(static_cast<std::size_t>(reply->results_size()) + office.standing(device).head == cuts.size());
  CHECK(office.standing(device).head <= 3);
}

TEST_CASE("An operation that could be read in two ways is malformed") {
  TestOffice office;
  TestDevice device = office.add_device();
  const std::string whole = codec::encode_operation(device.save(office.scope, new_record(), {writes_text("abc")}));
  const auto bytes = [](std::initializer_list<int> list) { return std::string(list.begin(), list.end()); };
  const std::string form_again = bytes({0x1a, 5}) + "diary";
  const std::string kind_by_default = bytes({0x20, 0});
  const std::string time_of_another_wire_type = bytes({0x29, 1, 2, 3, 4, 5, 6, 7, 8});
  const std::string origin_in_too_many_bytes = bytes({0x38, 0x81, 0x80, 0});
  for (const std::string& more : {form_again, kind_by_default, time_of_another_wire_type, origin_in_too_many_bytes}) {
    office.quarantines(device, whole + more, Errc::malformed_operation);
  }
}

TEST_CASE("An operation without a record or a write is malformed") {
  TestOffice office;
  TestDevice device = office.add_device();
  office.quarantines(device, device.save(office.scope, core::RecordId{}, {writes_beds(1)}), Errc::malformed_operation);
  office.quarantines(device, device.save(office.scope, new_record(), {}), Errc::malformed_operation);
}

namespace {

core::FieldWrite writes_secret() {
  core::FieldWrite write = writes_text("Азамат");
  write.key.field = office_fields::names;
  return write;
}

}  // namespace

TEST_CASE("A field that must be sealed is refused in the open, and nothing of the batch is kept") {
  TestOffice office;
  TestDevice device = office.add_device();
  const core::Operation good = device.save(office.scope, new_record(), {writes_text("x")});
  const core::Operation secret = device.save(office.scope, new_record(), {writes_secret()}, 1);
  office.refuses(device, device.request(device.batch({good, secret})), Errc::must_be_sealed);
}

TEST_CASE("A secret in the open is not kept where its operation has another fault as well") {
  TestOffice office;
  TestDevice device = office.add_device();
  const core::Operation both = device.save(office.scope, new_record(), {writes_beds(501), writes_secret()});
  office.refuses(device, device.request(device.batch({both})), Errc::must_be_sealed);
}

TEST_CASE("A finalised edition is kept until it can be checked") {
  TestOffice office;
  TestDevice device = office.add_device();
  core::Operation finalise = device.save(office.scope, new_record(), {});
  finalise.kind = core::OperationKind::finalise;
  office.quarantines(device, finalise, Errc::not_supported_yet);
}

TEST_CASE("An operation with more than 1,000 writes, or 3,000 replaced values, is kept in quarantine") {
  TestOffice office;
  TestDevice device = office.add_device();
  const auto unknown_field = [](std::uint32_t number) {
    return core::FieldWrite{{{}, number}, core::Value{std::int64_t{1}}, {}};
  };
  std::vector<core::FieldWrite> writes;
  for (std::uint32_t number = 100; number < 1'100; ++number) writes.push_back(unknown_field(number));
  CHECK(office.push(device, {device.save(office.scope, new_record(), writes)}).results_size() == 0);
  writes.push_back(unknown_field(1'100));
  office.quarantines(device, device.save(office.scope, new_record(), writes), Errc::too_many_elements);
  core::FieldWrite replacing = writes_text("x");
  for (std::uint64_t counter = 1; counter <= 3'001; ++counter)
    replacing.replaces.push_back({{TestDevice().id, counter}, 0});
  office.quarantines(device, device.save(office.scope, new_record(), {replacing}), Errc::too_many_elements);
}

TEST_CASE("A known record does not change its form") {
  TestOffice office;
  TestDevice device = office.add_device();
  const auto record = new_record();
  office.push(device, {device.save(office.scope, record, {writes_text("first")})});
  office.quarantines(device, device.save(office.scope, record, {writes_text("second")}, 0, "facility"),
                     Errc::wrong_context);
}

TEST_CASE("A scope that the person is not in looks like one that does not exist") {
  TestOffice office;
  TestDevice device = office.add_device();
  office.quarantines(device, device.save(office.other_scope, new_record(), {writes_text("x")}), Errc::scope_not_found);
  core::ScopeId nowhere = office.scope;
  nowhere.bytes[0] = static_cast<std::uint8_t>(nowhere.bytes[0] ^ 1);
  office.quarantines(device, device.save(nowhere, new_record(), {writes_text("x")}), Errc::scope_not_found);
}

TEST_CASE("Another scope's record is not given away by the answer") {
  TestOffice office;
  TestDevice stranger = office.add_device(office.add_person(server::Role::monitor, office.other_scope));
  const auto record = new_record();
  office.push(stranger, {stranger.save(office.other_scope, record, {writes_text("theirs")})});
  TestDevice device = office.add_device();
  office.quarantines(device, device.save(office.other_scope, record, {writes_text("mine")}), Errc::scope_not_found);
  office.quarantines(device, device.save(office.scope, record, {writes_text("mine")}), Errc::scope_not_found);
  office.pull(device);
  CHECK(device.records[std::string(office.scope.view())].count(record.hex()) == 0);
}

TEST_CASE(
    "What a batch did to a record stays where its last operation of the record is refused, or stands further on") {
  TestOffice office;
  TestDevice device = office.add_device();
  const core::RecordId one = new_record(), two = new_record();
  office.push(
      device,
      {device.save(office.scope, one, {writes_text("first")}), device.save(office.scope, two, {writes_text("x")}, 1),
       device.save(office.scope, one, {writes_beds(7)}, 2), device.save(office.scope, two, {writes_beds(501)}, 3)});
  CHECK(office.standing(device).quarantined == 1);
  TestDevice reader = office.add_device();
  office.pull(reader);
  const auto& records = reader.records[std::string(office.scope.view())];
  REQUIRE(records.size() == 2);
  const auto state = [&](const core::RecordId& id) {
    return *codec::decode_record(records.at(id.hex()).head, records.at(id.hex()).body);
  };
  CHECK(state(one).siblings({{}, office_fields::summary}).front().value == core::Value{std::string("first")});
  CHECK(state(one).siblings({{}, office_fields::beds}).front().value == core::Value{std::int64_t{7}});
  CHECK(state(two).siblings({{}, office_fields::summary}).front().value == core::Value{std::string("x")});
  CHECK(state(two).siblings({{}, office_fields::beds}).empty());
}

TEST_CASE("A member of the board reads and does not write") {
  TestOffice office;
  TestDevice device = office.add_device(office.add_person(server::Role::board, office.scope));
  const v1::Batch batch = device.batch({device.save(office.scope, new_record(), {writes_text("x")})});
  const auto reply = office.sync(device, device.request(batch));
  REQUIRE(reply);
  REQUIRE(reply->results_size() == 1);
  CHECK(reply->results(0).code() == "not_permitted");
  check_sentence(reply->results(0).message());
  CHECK(office.standing(device).head == 0);
  CHECK(office.standing(device).digest == 0);
  CHECK(office.standing(device).quarantined == 1);
}

TEST_CASE("A device that knows of other refusals than there are hears of all once it brings no batch") {
  TestOffice office;
  TestDevice device = office.add_device();
  office.push(device, {device.save(office.scope, new_record(), {writes_beds(501)})});
  const std::vector<core::Operation> saves = {device.save(office.scope, new_record(), {writes_text("x")}),
                                              device.save(office.scope, new_record(), {writes_beds(501)}, 1)};
  v1::SyncRequest request = device.request(device.batch(saves));
  request.set_refusals_digest(codec::hash_refusal(1, "value_out_of_range"));
  const auto lost = office.sync(device, request);
  REQUIRE(lost);
  CHECK_FALSE(lost->results_complete());
  REQUIRE(lost->results_size() == 1);
  CHECK(lost->results(0).counter() == 3);
  const auto again = office.sync(device, request);
  REQUIRE(again);
  CHECK(again->acknowledged_counter() == 3);
  CHECK_FALSE(again->results_complete());
  CHECK(again->more());
  CHECK(again->scopes().empty());
  REQUIRE(again->results_size() == 1);
  CHECK(again->results(0).SerializeAsString() == lost->results(0).SerializeAsString());
  request.clear_batch();
  const auto all = office.sync(device, request);
  REQUIRE(all);
  CHECK(all->results_complete());
  CHECK_FALSE(all->more());
  CHECK(all->scopes_size() == 1);
  REQUIRE(all->results_size() == 2);
  CHECK(all->results(0).counter() == 1);
  CHECK(all->results(1).SerializeAsString() == lost->results(0).SerializeAsString());
  request.set_refusals_digest(request.refusals_digest() + codec::hash_refusal(3, "value_out_of_range"));
  const auto known = office.sync(device, request);
  CHECK_FALSE(known->results_complete());
  CHECK(known->results_size() == 0);
}
