// A database from before attachments: its operations may name some.
#include "attachment_office.h"
#include "service/store_upgrade.h"
#include "support/old_database.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

class OldOffice : public AttachmentOffice {
 public:
  void become_version(int version) {
    close();
    make_old(file(), version);
    open();
  }
  std::int64_t version() {
    close();
    std::int64_t version = 0;
    {
      sqlite::Connection database(file(), sqlite::OpenMode::read_write);
      auto select = database.prepare("PRAGMA user_version");
      REQUIRE(select.step());
      version = select.integer(0);
    }
    open();
    return version;
  }
};

}  // namespace

TEST_CASE("A database of version 1 is brought up to date, and what its operations name can be sent") {
  OldOffice office;
  const std::string photo = some_bytes(100);
  const std::string preview = some_bytes(10, 2);
  core::Attachment attachment = photo_of(photo);
  attachment.preview = file_of(preview);
  office.name(office.phone, office.scope, attachment);
  const core::RecordId record = new_record();
  const auto writes = [&](const core::Attachment& value, std::vector<core::ValueId> replaces) {
    return std::vector<core::FieldWrite>{{{{}, office_fields::photo}, core::Value{value}, std::move(replaces)}};
  };
  // One that was replaced since, and one in quarantine.
  const core::Attachment replaced = photo_of(some_bytes(100, 3));
  const core::Attachment refused = photo_of(some_bytes(100, 4));
  const core::Attachment last = photo_of(some_bytes(100, 5));
  TestDevice& phone = office.phone;
  const core::OperationId first{phone.id, phone.last_counter + 1};
  const auto reply = office.push(phone, {phone.save(office.scope, record, writes(replaced, {})),
                                         phone.save(office.other_scope, new_record(), writes(refused, {}), 1),
                                         phone.save(office.scope, record, writes(last, {{first, 0}}), 2)});
  REQUIRE(reply.results_size() == 1);
  phone.refusals_digest = 0;
  office.become_version(1);
  CHECK(office.version() == 6);
  CHECK_FALSE(office.attachments->statuses(phone.id, std::vector{file_of(photo)})->size() > 0);
  for (int twice = 0; twice < 2; ++twice) {
    REQUIRE(server::upgrade_store(*office.store));
    const std::vector offered{file_of(photo), file_of(preview), replaced.file, refused.file, last.file};
    const auto statuses = office.attachments->statuses(phone.id, offered);
    REQUIRE(statuses);
    CHECK(statuses->size() == 5);
    CHECK(outcome_of(office.get(phone, refused.file.id)) == "not_found");
    if (twice == 0) office.send(phone, photo);
  }
  CHECK(*office.get(phone, file_of(photo).id) == photo);
}

TEST_CASE(
    "A database of version 2 is brought up to date: what was complete stays so, and what is in quarantine its "
    "device's") {
  OldOffice office;
  const std::string photo = some_bytes(100);
  const std::string refused = some_bytes(100, 2);
  office.name(photo);
  office.send(office.phone, photo);
  const auto reply = office.push(
      office.phone, {office.phone.save(office.other_scope, new_record(),
                                       {{{{}, office_fields::photo}, core::Value{photo_of(refused)}, {}}})});
  REQUIRE(reply.results_size() == 1);
  office.phone.refusals_digest = 0;
  REQUIRE(office.put(office.phone, file_of(refused).id, 0, refused.substr(0, 60)));
  office.become_version(2);
  CHECK(office.version() == 6);
  REQUIRE(server::upgrade_store(*office.store));
  CHECK(*office.get(office.phone, file_of(photo).id) == photo);
  const auto status = office.offer(office.phone, file_of(photo));
  CHECK(told(*status) == Told{100, true});
  v1::SyncRequest request = office.phone.request();
  request.set_attachments_version(status->version());
  CHECK_FALSE(office.sync(office.phone, request)->attachments_lost());
  CHECK(told(*office.offer(office.phone, file_of(refused))) == Told{60, false});
  CHECK(outcome_of(office.put(office.phone, file_of(refused).id, 60, refused.substr(60))) == "done");
  CHECK(told(*office.offer(office.phone, file_of(refused))) == Told{100, true});
}

TEST_CASE("A new database has nothing to look for") {
  AttachmentOffice office;
  REQUIRE(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
    CHECK(transaction.setting("attachments_to_index").empty());
    return {};
  }));
  CHECK(server::upgrade_store(*office.store));
}
