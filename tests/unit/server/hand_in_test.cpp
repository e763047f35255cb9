// A device that was revoked hands in what it has, and learns nothing by that.
#include "attachment_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

const std::string photo = some_bytes(100);

Result<v1::SyncReply> handed_in(TestOffice& office, const TestDevice& device, const v1::SyncRequest& request) {
  return office.service->sync(device.id, request, server::BodyStyle::plain, server::Access::hand_in);
}

struct Revoked {
  AttachmentOffice office;
  TestDevice& device = office.phone;
  const core::RecordId record = new_record();

  // It saved one thing before.
  Revoked() {
    office.push(device, {save("Cell 4.")});
    office.revoke(device);
  }
  [[nodiscard]] core::Operation save(const std::string& words) const {
    return device.save(office.scope, record, {writes_text(words)});
  }
  v1::SyncReply hand_in(const v1::SyncRequest& request) {
    const auto reply = handed_in(office, device, request);
    REQUIRE(reply);
    CHECK(reply->revoked());
    return *reply;
  }
  v1::SyncReply hand_in(const std::vector<core::Operation>& operations) {
    const v1::Batch batch = device.batch(operations);
    v1::SyncReply reply = hand_in(device.request(batch));
    device.acknowledged(batch, reply.acknowledged_counter());
    return reply;
  }
  std::vector<std::string> quarantined() {
    std::vector<std::string> codes;
    REQUIRE(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
      for (const auto& row : transaction.quarantined_up_to(transaction.device_by_id(device.id)->key, UINT64_MAX >> 1))
        codes.push_back(std::to_string(row.counter) + " " + row.code);
      return {};
    }));
    return codes;
  }
  std::optional<Told> offered(const std::string& bytes) {
    v1::SyncRequest request = device.request();
    v1::AttachmentOffer& offer = *request.add_offers();
    offer.set_sha256(std::string(file_of(bytes).id.view()));
    offer.set_size(file_of(bytes).size);
    const v1::SyncReply reply = hand_in(request);
    return reply.attachments_size() == 0 ? std::nullopt : std::optional(told(reply.attachments(0)));
  }
  Result<v1::AttachmentStatus> put(const std::string& bytes) {
    auto upload = office.attachments->begin_upload(device.id, file_of(bytes).id, 0, server::Access::hand_in);
    if (!upload) return upload.error();
    (*upload)->take(bytes);
    return (*upload)->finish();
  }
};

}  // namespace

TEST_CASE("What a revoked device hands in is kept in quarantine and applied nowhere") {
  Revoked start;
  const Standing before = start.office.standing(start.device);
  const v1::SyncReply reply = start.hand_in({start.save("Cell 5."), start.save("Cell 6.")});
  CHECK(reply.acknowledged_counter() == 3);
  CHECK(reply.durable_counter() == 3);
  REQUIRE(reply.results_size() == 2);
  CHECK(reply.results(0).code() == "device_revoked");
  check_sentence(reply.results(0).message());
  const Standing after = start.office.standing(start.device);
  CHECK(after.last_counter == 3);
  CHECK(after.quarantined == 2);
  CHECK(after.head == before.head);
  CHECK(after.digest == before.digest);
  CHECK(start.quarantined() == std::vector<std::string>{"2 device_revoked", "3 device_revoked"});
}

TEST_CASE("A revoked device that hands in is told nothing of any scope") {
  Revoked start;
  TestDevice colleague = start.office.add_device(start.office.add_person(server::Role::monitor, start.office.scope));
  start.office.push(colleague, {colleague.save(start.office.scope, new_record(), {writes_text("Not for it.")})});
  v1::SyncRequest without_position;
  without_position.set_protocol_version(server::protocol_version);
  for (const v1::SyncRequest& request :
       {start.device.request(), without_position, start.device.request(start.device.batch({start.save("Cell 5.")}))}) {
    const v1::SyncReply reply = start.hand_in(request);
    CHECK(reply.scopes_size() == 0);
    CHECK(reply.scopes_gone_size() == 0);
    CHECK(reply.forms_size() == 0);
    CHECK(reply.forms_frame().empty());
    CHECK(reply.people_size() == 0);
    CHECK_FALSE(reply.has_person());
    CHECK_FALSE(reply.more());
  }
}

TEST_CASE("What was handed in before, and not answered, is acknowledged and not doubled") {
  Revoked start;
  const v1::Batch batch = start.device.batch({start.save("Cell 5.")});
  const Standing before = start.office.standing(start.device);
  CHECK(start.hand_in(start.device.request(batch)).acknowledged_counter() == 2);
  const v1::SyncReply again = start.hand_in(start.device.request(batch));
  CHECK(again.acknowledged_counter() == 2);
  CHECK(start.office.standing(start.device).quarantined == before.quarantined + 1);
}

TEST_CASE("A batch that is not the device's own is refused, handed in or not") {
  Revoked start;
  v1::Batch batch = start.device.batch({start.save("Cell 5.")});
  batch.mutable_signature()->front() = static_cast<char>(batch.signature().front() ^ 1);
  const Standing before = start.office.standing(start.device);
  CHECK(outcome_of(handed_in(start.office, start.device, start.device.request(batch))) == "bad_signature");
  CHECK(start.office.standing(start.device) == before);
}

TEST_CASE("A device that is not revoked may say that it hands in, and is answered as always") {
  AttachmentOffice office;
  const auto reply = handed_in(office, office.phone,
                               office.phone.request(office.phone.batch(
                                   {office.phone.save(office.scope, new_record(), {writes_text("Cell 4.")})})));
  REQUIRE(reply);
  CHECK_FALSE(reply->revoked());
  CHECK(reply->results_size() == 0);
  CHECK(reply->scopes_size() > 0);
  const TestDevice unknown;
  CHECK(outcome_of(handed_in(office, unknown, unknown.request())) == "unknown_device");
}

TEST_CASE("A revoked device hands in the photos that its own saves name, from before and from after") {
  AttachmentOffice office;
  const std::string later = some_bytes(100, 2);
  office.name(photo);
  const TestDevice colleague = office.add_device(office.add_person(server::Role::monitor, office.scope));
  REQUIRE(office.put(office.phone, file_of(photo).id, 0, photo.substr(0, 40)));
  office.revoke(office.phone);
  REQUIRE(
      handed_in(office, office.phone,
                office.phone.request(office.phone.batch({office.phone.save(
                    office.scope, new_record(), {{{{}, office_fields::photo}, core::Value{photo_of(later)}, {}}})}))));
  for (const std::string& bytes : {photo, later}) {
    CHECK(outcome_of(office.put(office.phone, file_of(bytes).id, 0, bytes)) == "device_revoked");
    auto upload = office.attachments->begin_upload(office.phone.id, file_of(bytes).id, 0, server::Access::hand_in);
    REQUIRE(upload);
    (*upload)->take(bytes);
    const auto status = (*upload)->finish();
    REQUIRE(status);
    CHECK(told(*status) == Told{100, true});
    CHECK(outcome_of(office.get(office.phone, file_of(bytes).id)) == "device_revoked");
  }
  CHECK(*office.get(colleague, file_of(photo).id) == photo);
  // In quarantine: nobody's yet.
  CHECK(outcome_of(office.get(colleague, file_of(later).id)) == "not_found");
}

TEST_CASE("A revoked device learns nothing of a colleague's file") {
  Revoked start;
  TestDevice colleague = start.office.add_device(start.office.add_person(server::Role::monitor, start.office.scope));
  start.office.name(colleague, start.office.scope, photo_of(photo));
  start.office.send(colleague, photo);
  CHECK(start.offered(photo) == std::nullopt);
  CHECK(outcome_of(start.put(photo)) == "not_found");
}
