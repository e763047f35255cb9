// Who may send and read an attachment, and what those learn who may not.
#include "attachment_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

const std::string photo = some_bytes(100);

// Of another scope alone.
TestDevice stranger_of(AttachmentOffice& office) {
  return office.add_device(office.add_person(server::Role::monitor, office.other_scope));
}

// Everything that a device is told of a file, however it asks.
std::vector<std::string> all_answers(AttachmentOffice& office, const TestDevice& device, const core::AttachmentId& id) {
  const auto offered = office.offer(device, {id, 100});
  return {outcome_of(office.put(device, id, 0, photo)), outcome_of(office.put(device, id, 50, {})),
          outcome_of(office.get(device, id)), offered ? offered->ShortDebugString() : "not named"};
}

}  // namespace

TEST_CASE("A file of another scope is answered as one that nobody has") {
  AttachmentOffice office;
  const TestDevice stranger = stranger_of(office);
  const core::AttachmentId unknown = file_of("nobody has this").id;
  const auto nothing = all_answers(office, stranger, unknown);
  CHECK((nothing == std::vector<std::string>{"not_found", "not_found", "not_found", "not named"}));
  office.name(photo);
  CHECK(all_answers(office, stranger, file_of(photo).id) == nothing);
  office.send(office.phone, photo);
  CHECK(all_answers(office, stranger, file_of(photo).id) == nothing);
}

TEST_CASE("A scope that names a file which another one has, or begun, is told nothing of it and gets all of it sent") {
  // What the stranger is told, step by step, where the first scope does more and more with the same file.
  std::vector<std::vector<Told>> told_in_each;
  for (int what_the_others_have = 0; what_the_others_have < 4; ++what_the_others_have) {
    AttachmentOffice office;
    TestDevice stranger = stranger_of(office);
    if (what_the_others_have > 0) office.name(photo);
    if (what_the_others_have == 2) REQUIRE(office.put(office.phone, file_of(photo).id, 0, photo.substr(0, 70)));
    if (what_the_others_have == 3) office.send(office.phone, photo);
    office.name(stranger, office.other_scope, photo_of(photo));
    std::vector<Told>& answers = told_in_each.emplace_back();
    answers.push_back(told(*office.offer(stranger, file_of(photo))));
    CHECK(outcome_of(office.get(stranger, file_of(photo).id)) == "not_found");
    for (std::uint32_t offset = 0; offset < 100; offset += 50) {
      answers.push_back(told(*office.put(stranger, file_of(photo).id, offset, photo.substr(offset, 50))));
      answers.push_back(told(*office.offer(stranger, file_of(photo))));
    }
    CHECK(office.bytes_taken_today(stranger) == 100);
    CHECK(*office.get(stranger, file_of(photo).id) == photo);
  }
  for (const auto& answers : told_in_each) {
    CHECK((answers == std::vector<Told>{{0, false}, {50, false}, {50, false}, {100, true}, {100, true}}));
  }
}

TEST_CASE("Who does not have the bytes gets nothing by naming their hash") {
  AttachmentOffice office;
  TestDevice stranger = stranger_of(office);
  office.name(photo);
  office.send(office.phone, photo);
  office.name(stranger, office.other_scope, photo_of(photo));
  CHECK(outcome_of(office.put(stranger, file_of(photo).id, 0, some_bytes(100, 2))) == "attachment_damaged");
  CHECK(outcome_of(office.get(stranger, file_of(photo).id)) == "not_found");
  CHECK(*office.get(office.phone, file_of(photo).id) == photo);
}

TEST_CASE("Who can read it in one scope brings it into another without sending it again") {
  AttachmentOffice office;
  office.set_role(office.monitor, office.other_scope, server::Role::monitor);
  const TestDevice stranger = stranger_of(office);
  office.name(photo);
  office.send(office.phone, photo);
  office.name(office.phone, office.other_scope, photo_of(photo));
  CHECK(outcome_of(office.get(stranger, file_of(photo).id)) == "not_found");
  CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{100, true});
  CHECK(*office.get(stranger, file_of(photo).id) == photo);
  CHECK(office.bytes_taken_today(office.phone) == 100);
}

TEST_CASE("The board reads and does not send") {
  AttachmentOffice office;
  office.name(photo);
  const TestDevice board = office.add_device(office.add_person(server::Role::board, office.scope));
  CHECK(outcome_of(office.put(board, file_of(photo).id, 0, photo)) == "not_found");
  CHECK(told(*office.offer(board, file_of(photo))) == Told{0, false});
  office.send(office.phone, photo);
  CHECK(outcome_of(office.put(board, file_of(photo).id, 0, photo)) == "not_found");
  CHECK(told(*office.offer(board, file_of(photo))) == Told{100, true});
  CHECK(*office.get(board, file_of(photo).id) == photo);
}

TEST_CASE("Who has left the scope brings what they saved there, and reads nothing any more") {
  AttachmentOffice office;
  office.name(photo);
  const TestDevice colleague = office.add_device(office.add_person(server::Role::monitor, office.scope));
  office.set_role(office.monitor, office.scope, server::Role::none);
  CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{0, false});
  office.send(office.phone, photo);
  CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{100, true});
  CHECK(outcome_of(office.get(office.phone, file_of(photo).id)) == "not_found");
  CHECK(*office.get(colleague, file_of(photo).id) == photo);
}

TEST_CASE("Who left the scope before somebody else sent a file does not get it by naming it elsewhere") {
  AttachmentOffice office;
  office.name(photo);
  TestDevice colleague = office.add_device(office.add_person(server::Role::monitor, office.scope));
  office.name(colleague, office.scope, photo_of(photo));
  office.set_role(office.monitor, office.scope, server::Role::none);
  office.set_role(office.monitor, office.other_scope, server::Role::monitor);
  office.send(colleague, photo);
  office.name(office.phone, office.other_scope, photo_of(photo));
  CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{0, false});
  CHECK(outcome_of(office.get(office.phone, file_of(photo).id)) == "not_found");
}

TEST_CASE("A device that is not enrolled, or was revoked, gets nothing") {
  AttachmentOffice office;
  office.name(photo);
  office.send(office.phone, photo);
  const TestDevice unknown;
  CHECK(outcome_of(office.put(unknown, file_of(photo).id, 0, photo)) == "unknown_device");
  CHECK(outcome_of(office.get(unknown, file_of(photo).id)) == "unknown_device");
  office.revoke(office.phone);
  CHECK(outcome_of(office.put(office.phone, file_of(photo).id, 0, photo)) == "device_revoked");
  CHECK(outcome_of(office.get(office.phone, file_of(photo).id)) == "device_revoked");
}

TEST_CASE("A right that ends while bytes come in ends the upload: nothing more of it is kept or shown") {
  AttachmentOffice office;
  TestDevice author = office.add_device(office.add_person(server::Role::monitor, office.scope));
  office.name(author, office.scope, photo_of(photo));
  auto upload = office.attachments->begin_upload(office.phone.id, file_of(photo).id, 0);
  REQUIRE(upload);
  (*upload)->take(photo.substr(0, 99));
  const std::string ended = GENERATE(as<std::string>(), "revoked", "scope left", "to be read only");
  INFO(ended);
  const std::string expected = ended == "revoked" ? "device_revoked" : "not_found";
  if (ended == "revoked") office.revoke(office.phone);
  if (ended == "scope left") office.set_role(office.monitor, office.scope, server::Role::none);
  if (ended == "to be read only") office.set_role(office.monitor, office.scope, server::Role::board);
  SECTION("and the rest comes") {
    (*upload)->take(photo.substr(99));
    CHECK(outcome_of((*upload)->finish()) == expected);
  }
  SECTION("and the connection breaks") { CHECK(outcome_of((*upload)->abandon()) == expected); }
  CHECK(office.files.published.empty());
  CHECK(office.files.uploads.empty());
  CHECK(office.bytes_taken_today(office.phone) == 0);
}

TEST_CASE("What a revoked device sent of a file is thrown away, also where that succeeds only the second time") {
  AttachmentOffice office;
  office.name(photo);
  REQUIRE(office.put(office.phone, file_of(photo).id, 0, photo.substr(0, 99)));
  REQUIRE(office.files.uploads.size() == 1);
  office.revoke(office.phone);
  office.files.keeps_uploads = true;
  CHECK(outcome_of(office.attachments->forget_uploads(office.phone.id)) == "storage_failed");
  office.files.keeps_uploads = false;
  CHECK(outcome_of(office.attachments->forget_uploads(office.phone.id)) == "done");
  CHECK(office.files.uploads.empty());
}

TEST_CASE("A right that ends while a file is read ends the reading") {
  AttachmentOffice office;
  office.name(photo);
  office.send(office.phone, photo);
  REQUIRE(office.attachments->read(office.phone.id, file_of(photo).id, 0, 50));
  office.revoke(office.phone);
  CHECK(outcome_of(office.attachments->read(office.phone.id, file_of(photo).id, 50, 50)) == "device_revoked");
}

TEST_CASE("What an operation in quarantine names is kept with it, and nobody may read it") {
  AttachmentOffice office;
  const TestDevice stranger = stranger_of(office);
  const v1::Batch batch = office.phone.batch({office.phone.save(
      office.other_scope, new_record(), {{{{}, office_fields::photo}, core::Value{photo_of(photo)}, {}}})});
  const auto reply = office.sync(office.phone, office.phone.request(batch));
  REQUIRE(reply);
  REQUIRE(reply->results_size() == 1);
  CHECK(outcome_of(office.put(stranger, file_of(photo).id, 0, photo)) == "not_found");
  office.send(office.phone, photo);
  CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{100, true});
  CHECK(outcome_of(office.get(office.phone, file_of(photo).id)) == "not_found");
  CHECK(outcome_of(office.get(stranger, file_of(photo).id)) == "not_found");
}

TEST_CASE("What two devices have in quarantine is told to neither of the other") {
  AttachmentOffice office;
  TestDevice stranger = stranger_of(office);
  for (TestDevice* device : {&office.phone, &stranger}) {
    const core::ScopeId elsewhere = device == &office.phone ? office.other_scope : office.scope;
    const auto reply = office.push(
        *device,
        {device->save(elsewhere, new_record(), {{{{}, office_fields::photo}, core::Value{photo_of(photo)}, {}}})});
    REQUIRE(reply.results_size() == 1);
  }
  office.send(office.phone, photo);
  CHECK(told(*office.offer(stranger, file_of(photo))) == Told{0, false});
  office.send(stranger, photo);
}

TEST_CASE("A person's next device brings what the former one named") {
  AttachmentOffice office;
  office.name(photo);
  office.revoke(office.phone);
  const TestDevice next = office.add_device();
  office.set_role(office.monitor, office.scope, server::Role::none);
  CHECK(told(*office.offer(next, file_of(photo))) == Told{0, false});
  office.send(next, photo);
  CHECK(outcome_of(office.get(next, file_of(photo).id)) == "not_found");
}
