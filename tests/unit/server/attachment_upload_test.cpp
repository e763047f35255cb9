// Attachments that are sent in pieces, over links that break.
#include "attachment_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

TEST_CASE("A photo and its preview that a record names are sent, and read by who may read the record") {
  AttachmentOffice office;
  const std::string photo = some_bytes(3000);
  const std::string preview = some_bytes(200, 2);
  core::Attachment attachment = photo_of(photo);
  attachment.preview = file_of(preview);
  office.name(office.phone, office.scope, attachment);
  CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{0, false});
  CHECK(told(*office.offer(office.phone, file_of(preview))) == Told{0, false});
  for (const std::string& bytes : {preview, photo}) {
    const auto sent = office.put(office.phone, file_of(bytes).id, 0, bytes);
    REQUIRE(sent);
    CHECK(told(*sent) == Told{file_of(bytes).size, true});
    CHECK(told(*office.offer(office.phone, file_of(bytes))) == Told{file_of(bytes).size, true});
  }
  const TestDevice colleague = office.add_device(office.add_person(server::Role::board, office.scope));
  CHECK(*office.get(colleague, file_of(photo).id) == photo);
  CHECK(*office.get(colleague, file_of(preview).id) == preview);
  CHECK(office.files.uploads.empty());
  CHECK(office.bytes_taken_today(office.phone) == 3200);
}

TEST_CASE("What a record of the same request names is told of in its reply") {
  AttachmentOffice office;
  const core::Attachment photo = photo_of(some_bytes(100));
  const v1::Batch batch = office.phone.batch(
      {office.phone.save(office.scope, new_record(), {{{{}, office_fields::photo}, core::Value{photo}, {}}})});
  v1::SyncRequest request = office.phone.request(batch);
  v1::AttachmentOffer& offer = *request.add_offers();
  offer.set_sha256(photo.file.id.view().data(), photo.file.id.view().size());
  offer.set_size(100);
  const auto reply = office.sync(office.phone, request);
  REQUIRE(reply);
  REQUIRE(reply->attachments_size() == 1);
  CHECK(told(reply->attachments(0)) == Told{0, false});
}

TEST_CASE("An upload that breaks after any byte goes on there: no byte is taken twice") {
  const std::string photo = some_bytes(40);
  for (std::uint32_t first = 0; first <= photo.size(); ++first) {
    for (std::uint32_t second = first; second <= photo.size(); second += 19) {
      INFO("broke after " << first << " and " << second << " bytes");
      AttachmentOffice office;
      office.name(photo);
      std::uint32_t offset = 0;
      for (const std::uint32_t end : {first, second}) {
        auto upload = office.attachments->begin_upload(office.phone.id, file_of(photo).id, offset);
        REQUIRE(upload);
        (*upload)->take(photo.substr(offset, end - offset));
        CHECK((*upload)->abandon());
        upload->reset();
        office.restart_services();
        const Told after = told(*office.offer(office.phone, file_of(photo)));
        CHECK(after == Told{end, end == photo.size()});
        offset = end;
      }
      const auto sent = office.put(office.phone, file_of(photo).id, offset, photo.substr(offset));
      REQUIRE(sent);
      CHECK(told(*sent) == Told{40, true});
      CHECK(office.bytes_taken_today(office.phone) == photo.size());
      CHECK(*office.get(office.phone, file_of(photo).id) == photo);
    }
  }
}

TEST_CASE("A file of many requests is complete with the last, and not before") {
  AttachmentOffice office;
  const std::string photo = some_bytes(700'000);
  office.name(photo);
  for (std::uint32_t offset = 0; offset < photo.size(); offset += 100'000) {
    const auto sent = office.put(office.phone, file_of(photo).id, offset, photo.substr(offset, 100'000));
    REQUIRE(sent);
    CHECK(told(*sent) == Told{offset + 100'000, offset + 100'000 == photo.size()});
    CHECK(static_cast<bool>(office.get(office.phone, file_of(photo).id)) == sent->complete());
  }
}

TEST_CASE("What arrives is durable after 256 KiB, and after half a second, while its request goes on") {
  AttachmentOffice office;
  const std::string photo = some_bytes(400'000);
  office.name(photo);
  const auto durable = [&] { return told(*office.offer(office.phone, file_of(photo))).durable; };
  auto upload = office.attachments->begin_upload(office.phone.id, file_of(photo).id, 0);
  REQUIRE(upload);
  std::uint32_t taken = 0;
  const auto take = [&](std::uint32_t bytes) {
    (*upload)->take(photo.substr(taken, bytes));
    taken += bytes;
  };
  take(1);
  CHECK(durable() == 0);
  office.now.ms += server::unsynced_time_max.count - 1;
  take(1);
  CHECK(durable() == 0);
  office.now.ms += 1;
  take(1);
  CHECK(durable() == 3);
  take(server::unsynced_bytes_max - 1);
  CHECK(durable() == 3);
  take(1);
  CHECK(durable() == 3 + server::unsynced_bytes_max);
  // A clock that was set back puts nothing off.
  office.now.ms -= 3'600'000;
  take(1);
  CHECK(durable() == 4 + server::unsynced_bytes_max);
}

TEST_CASE("What is known already is passed over, and beyond the durable offset nothing is kept") {
  AttachmentOffice office;
  const std::string photo = some_bytes(100);
  office.name(photo);
  REQUIRE(office.put(office.phone, file_of(photo).id, 0, photo.substr(0, 60)));
  for (const std::uint32_t offset : {61U, 100U, core::attachment_bytes_max}) {
    const auto sent = office.put(office.phone, file_of(photo).id, offset, photo.substr(0, 40));
    REQUIRE(sent);
    CHECK(told(*sent) == Told{60, false});
  }
  CHECK(told(*office.put(office.phone, file_of(photo).id, 0, photo.substr(0, 60))) == Told{60, false});
  CHECK(told(*office.put(office.phone, file_of(photo).id, 20, photo.substr(20, 50))) == Told{70, false});
  CHECK(office.bytes_taken_today(office.phone) == 70);
  CHECK(office.put(office.phone, file_of(photo).id, 59, photo.substr(59))->complete());
  // Complete already.
  CHECK(told(*office.put(office.phone, file_of(photo).id, 0, photo)) == Told{100, true});
  CHECK(office.bytes_taken_today(office.phone) == 100);
}

TEST_CASE("Bytes that are not what the name promises are thrown away, and sent again") {
  AttachmentOffice office;
  const std::string photo = some_bytes(100);
  office.name(photo);
  const auto sent = office.put(office.phone, file_of(photo).id, 0, some_bytes(100, 2));
  CHECK(outcome_of(sent) == "attachment_damaged");
  CHECK(office.files.uploads.empty());
  CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{0, false});
  CHECK(outcome_of(office.get(office.phone, file_of(photo).id)) == "not_found");
  office.send(office.phone, photo);
  CHECK(*office.get(office.phone, file_of(photo).id) == photo);
}

TEST_CASE("More bytes than the attachment has are malformed, and what is too much is not kept") {
  AttachmentOffice office;
  const std::string photo = some_bytes(100);
  office.name(photo);
  CHECK(outcome_of(office.put(office.phone, file_of(photo).id, 0, photo + "x")) == "malformed_request");
  // What came before is: all of it here.
  CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{100, true});
  CHECK(*office.get(office.phone, file_of(photo).id) == photo);
}

TEST_CASE("Two devices send one photo side by side, and neither disturbs the other") {
  AttachmentOffice office;
  const std::string photo = some_bytes(100);
  office.name(photo);
  const TestDevice tablet = office.add_device();
  REQUIRE(office.put(office.phone, file_of(photo).id, 0, photo.substr(0, 50)));
  REQUIRE(office.put(tablet, file_of(photo).id, 0, some_bytes(50, 2)));
  CHECK(office.put(office.phone, file_of(photo).id, 50, photo.substr(50))->complete());
  // The other learns it, and what it had sent goes.
  CHECK(told(*office.offer(tablet, file_of(photo))) == Told{100, true});
  CHECK(office.files.uploads.empty());
}

TEST_CASE("A later connection of the device goes on, and the earlier one changes nothing any more") {
  AttachmentOffice office;
  const std::string photo = some_bytes(100);
  office.name(photo);
  auto earlier = office.attachments->begin_upload(office.phone.id, file_of(photo).id, 0);
  REQUIRE(earlier);
  (*earlier)->take(photo.substr(0, 30));
  auto later = office.attachments->begin_upload(office.phone.id, file_of(photo).id, 0);
  REQUIRE(later);
  (*later)->take(photo.substr(0, 50));
  (*earlier)->take(photo.substr(30, 60));
  CHECK((*earlier)->abandon());
  (*later)->take(photo.substr(50));
  const auto sent = (*later)->finish();
  REQUIRE(sent);
  CHECK(told(*sent) == Told{100, true});
  CHECK(*office.get(office.phone, file_of(photo).id) == photo);
}

TEST_CASE("A size that a colleague got wrong, or made up, holds nobody up") {
  AttachmentOffice office;
  const std::string photo = some_bytes(100);
  TestDevice colleague = office.add_device(office.add_person(server::Role::monitor, office.scope));
  for (const std::uint32_t wrong : {1U, 50U, 99U, 101U, 3000U, core::attachment_bytes_max}) {
    core::Attachment lie = photo_of(photo);
    lie.file.size = wrong;
    office.name(colleague, office.scope, lie);
  }
  office.name(photo);
  for (std::uint32_t offset = 0; offset < 100; offset += 10) {
    const auto sent = office.put(office.phone, file_of(photo).id, offset, photo.substr(offset, 10));
    REQUIRE(sent);
    CHECK(told(*sent) == Told{offset + 10, offset == 90});
    // Asking with a wrong size costs nothing either.
    for (const std::uint32_t wrong : {50U, 101U}) {
      const auto of_wrong = office.offer(office.phone, {file_of(photo).id, wrong});
      REQUIRE(of_wrong);
      CHECK_FALSE(of_wrong->complete());
    }
  }
  CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{100, true});
  CHECK(*office.get(office.phone, file_of(photo).id) == photo);
}

TEST_CASE("A device that has sent all, and is not believed, has it thrown away with a request of no bytes") {
  AttachmentOffice office;
  const std::string photo = some_bytes(100);
  TestDevice colleague = office.add_device(office.add_person(server::Role::monitor, office.scope));
  core::Attachment lie = photo_of(photo);
  lie.file.size = 3000;
  office.name(colleague, office.scope, lie);
  office.name(photo);
  // Damaged on its way; that it is all, the office cannot know.
  const auto sent = office.put(office.phone, file_of(photo).id, 0, some_bytes(100, 2));
  REQUIRE(sent);
  CHECK(told(*sent) == Told{100, false});
  CHECK(outcome_of(office.put(office.phone, file_of(photo).id, 100, {})) == "attachment_damaged");
  office.send(office.phone, photo);
}

TEST_CASE("A file that the operator lost is sent again, by whoever has it") {
  AttachmentOffice office;
  const std::string photo = some_bytes(100);
  office.name(photo);
  office.send(office.phone, photo);
  SECTION("it is gone") { office.files.published.clear(); }
  SECTION("it is cut short") { office.files.published.begin()->second.resize(99); }
  CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{0, false});
  CHECK(outcome_of(office.get(office.phone, file_of(photo).id)) == "not_found");
  const TestDevice tablet = office.add_device();
  office.send(tablet, photo);
  CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{100, true});
  CHECK(*office.get(office.phone, file_of(photo).id) == photo);
}

TEST_CASE("An upload whose file the operator lost begins anew") {
  AttachmentOffice office;
  const std::string photo = some_bytes(100);
  office.name(photo);
  REQUIRE(office.put(office.phone, file_of(photo).id, 0, photo.substr(0, 60)));
  SECTION("all of it") { office.files.uploads.clear(); }
  SECTION("a part") { office.files.uploads.begin()->second.resize(20); }
  const std::uint32_t left = office.files.uploads.empty() ? 0 : 20;
  CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{left, false});
  CHECK(office.put(office.phone, file_of(photo).id, left, photo.substr(left))->complete());
  CHECK(*office.get(office.phone, file_of(photo).id) == photo);
}

TEST_CASE("What is damaged, cut short or gone is found") {
  AttachmentOffice office;
  std::vector<core::AttachmentFile> expected;
  for (int seed = 1; seed <= 4; ++seed) {
    const std::string photo = some_bytes(1000, seed);
    office.name(photo);
    office.send(office.phone, photo);
    std::string& kept = office.files.published[file_of(photo).id];
    if (seed == 2) kept[500] = static_cast<char>(kept[500] ^ 1);
    if (seed == 3) kept.pop_back();
    if (seed == 4) office.files.published.erase(file_of(photo).id);
    if (seed > 1) expected.push_back(file_of(photo));
  }
  auto found = office.attachments->find_damaged();
  REQUIRE(found);
  std::sort(expected.begin(), expected.end());
  CHECK((*found == expected));
}

TEST_CASE("A device that names a version which the office never gave is told that attachments were lost") {
  AttachmentOffice office;
  const auto lost = [&](std::uint64_t version) {
    v1::SyncRequest request = office.phone.request();
    request.set_attachments_version(version);
    const auto reply = office.sync(office.phone, request);
    REQUIRE(reply);
    return reply->attachments_lost();
  };
  CHECK_FALSE(lost(0));
  CHECK(lost(5));
  std::vector<std::uint64_t> versions;
  for (int seed = 1; seed <= 3; ++seed) {
    const std::string photo = some_bytes(100, seed);
    office.name(photo);
    const auto sent = office.put(office.phone, file_of(photo).id, 0, photo);
    REQUIRE(sent);
    CHECK(office.offer(office.phone, file_of(photo))->version() == sent->version());
    versions.push_back(sent->version());
    if (seed == 2) office.keep_copy();
  }
  CHECK(versions[0] < versions[1]);
  CHECK(versions[1] < versions[2]);
  for (const std::uint64_t version : versions) CHECK_FALSE(lost(version));
  office.restore_copy();
  CHECK_FALSE(lost(versions[1]));
  CHECK(lost(versions[2]));
  // Nor when it has grown again.
  TestDevice other = office.add_device();
  const std::string photo = some_bytes(100, 4);
  office.name(other, office.scope, photo_of(photo));
  office.send(other, photo);
  CHECK(lost(versions[2]));
}
