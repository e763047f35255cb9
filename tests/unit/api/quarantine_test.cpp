// What the office decides about saves in quarantine, and what the devices make of it: with the real
// library on both sides.
#include "service/quarantine.h"

#include "app_office.h"
#include "codec/operation_codec.h"
#include "unit/server/test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

struct Office {
  AppOffice office;
  App app{office};

  void may_only_read() { office.set_role(office.monitor, office.scope, server::Role::board); }
  void may_write() { office.set_role(office.monitor, office.scope, server::Role::monitor); }

  // A record that is at the office, with the summary "Cell 4.".
  core::RecordId shared_record() {
    const core::RecordId record = app.write("summary", text("Cell 4."));
    app.sync();
    return record;
  }
  // An edit of it that the office refused.
  core::OperationId refuse_edit(const core::RecordId& record, const std::string& value) {
    app.edit(record, "summary", text(value));
    may_only_read();
    app.sync();
    const auto refused = must(app->refused());
    REQUIRE(refused.size() == 1);
    CHECK(refused.front().code == "not_permitted");
    return refused.front().operation;
  }
  std::string accept(const core::OperationId& id) {
    return std::string(verdict(server::accept_quarantined(*office.store, office.service->audit_log(), id)));
  }
  std::string give_back(const core::OperationId& id, const std::string& note) {
    return std::string(verdict(server::return_quarantined(*office.store, office.service->audit_log(), id, note)));
  }
  std::uint64_t quarantined() { return counts().quarantined; }
  server::Counts counts() {
    server::Counts counts;
    REQUIRE(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
      counts = transaction.counts();
      return {};
    }));
    return counts;
  }
  std::uint64_t digest() {
    std::uint64_t digest = 0;
    REQUIRE(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
      digest = transaction.scope(office.scope)->digest;
      return {};
    }));
    return digest;
  }
  // Every device holds what the office holds.
  void check_digests(std::initializer_list<App*> apps) {
    for (App* each : apps) {
      for (const ScopeInfo& scope : must((*each)->scopes())) {
        if (scope.id == office.scope) CHECK(scope.digest == digest());
      }
    }
  }
};

}  // namespace

TEST_CASE("A refused save that the office accepts is shown as applied everywhere, once, and refused no more") {
  Office start;
  App colleague(start.office);
  const core::RecordId record = start.shared_record();
  const core::OperationId refused = start.refuse_edit(record, "Cell 5.");
  CHECK(start.app.shown(record, "summary") == Values{text("Cell 4.")});
  CHECK(start.accept(refused) == "done");
  CHECK(start.quarantined() == 0);
  start.app.sync();
  CHECK(must(start.app->refused()).empty());
  CHECK(start.app.shown(record, "summary") == Values{text("Cell 5.")});
  CHECK_FALSE(start.app.in_conflict(record, "summary"));
  CHECK(must(start.app->status()).refused == 0);
  CHECK(must(start.app->status()).saved_here == 0);
  colleague.sync();
  CHECK(colleague.shown(record, "summary") == Values{text("Cell 5.")});
  start.check_digests({&start.app, &colleague});
  // It can be accepted once.
  CHECK(start.accept(refused) == "not_found");
  CHECK(start.give_back(refused, "A note.") == "not_found");
  start.app.sync();
  CHECK(start.app.shown(record, "summary") == Values{text("Cell 5.")});
  CHECK(start.counts().operations == 2);
}

TEST_CASE("A list entry and a count that are accepted stand once") {
  Office start;
  const core::RecordId record = start.shared_record();
  RecordEditor editor = start.app.open_editor(record);
  must(editor.set("follow_up", text("Call the lawyer.")));
  must(editor.set("interviews", integer(3)));
  must(editor.save());
  start.may_only_read();
  start.app.sync();
  CHECK(start.accept(must(start.app->refused()).front().operation) == "done");
  start.app.sync();
  start.app.sync();
  App colleague(start.office);
  for (App* app : {&start.app, &colleague}) {
    CHECK(app->shown(record, "follow_up") == Values{text("Call the lawyer.")});
    CHECK(app->shown(record, "interviews") == Values{integer(3)});
  }
  start.check_digests({&start.app, &colleague});
}

TEST_CASE("What others wrote meanwhile stands beside a save that is accepted") {
  Office start;
  const core::RecordId record = start.shared_record();
  const core::OperationId refused = start.refuse_edit(record, "Cell 5.");
  App colleague(start.office, start.office.add_person(server::Role::monitor, start.office.scope));
  colleague.edit(record, "summary", text("Cell 6."));
  colleague.sync();
  CHECK(start.accept(refused) == "done");
  start.app.sync();
  colleague.sync();
  for (App* app : {&start.app, &colleague}) {
    CHECK(app->in_conflict(record, "summary"));
    CHECK(app->shown(record, "summary").size() == 2);
  }
  start.check_digests({&start.app, &colleague});
}

TEST_CASE("A save that its author has on the device when the office accepts an earlier one stands beside it") {
  Office start;
  const core::RecordId record = start.shared_record();
  const core::OperationId refused = start.refuse_edit(record, "Cell 5.");
  start.may_write();
  start.app.edit(record, "summary", text("Cell 7."));
  CHECK(start.accept(refused) == "done");
  start.app.sync();
  CHECK(must(start.app->refused()).empty());
  CHECK(start.app.shown(record, "summary").size() == 2);
  App colleague(start.office);
  CHECK(colleague.shown(record, "summary").size() == 2);
  start.check_digests({&start.app, &colleague});
}

TEST_CASE("A save is not accepted once its device has saved the record again, and stays in quarantine") {
  Office start;
  const core::RecordId record = start.shared_record();
  const core::OperationId refused = start.refuse_edit(record, "Cell 5.");
  start.may_write();
  start.app.edit(record, "beds", integer(12));
  start.app.sync();
  const std::uint64_t before = start.digest();
  CHECK(start.accept(refused) == "superseded");
  CHECK(start.quarantined() == 1);
  CHECK(start.digest() == before);
  CHECK(start.give_back(refused, "Please enter it again.") == "done");
}

TEST_CASE("A refused save of a new record is accepted into its scope, with its photo") {
  Office start;
  start.may_only_read();
  start.office.now = start.office.now + core::Milliseconds{5000};
  start.may_write();
  RecordEditor editor = must(start.app->create("inspection", start.office.scope));
  must(editor.set("summary", text("Cell 9.")));
  auto writer = must(start.app->add_attachment({core::AttachmentKind::photo, "image/jpeg", "door.jpg", {}}));
  must(writer.write(std::string(1000, 'p')));
  const core::Attachment photo = must(writer.finish());
  must(editor.set("photo", photo));
  must(editor.save());
  start.may_only_read();
  start.app.sync();
  start.app.sync();
  const auto refused = must(start.app->refused());
  REQUIRE(refused.size() == 1);
  App colleague(start.office, start.office.add_person(server::Role::monitor, start.office.scope));
  colleague.sync();
  CHECK(must(colleague->query({})).empty());
  std::vector<server::QuarantinedOperation> list;
  REQUIRE(start.office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
    list = server::list_quarantine(transaction, std::nullopt);
    return {};
  }));
  REQUIRE(list.size() == 1);
  REQUIRE(list[0].files.size() == 1);
  CHECK(list[0].files[0].is_here);
  CHECK(list[0].scope->id == start.office.scope);
  CHECK(list[0].operation->author == start.office.monitor);
  CHECK(start.accept(refused.front().operation) == "done");
  colleague.sync();
  CHECK(colleague.shown(editor.id(), "summary") == Values{text("Cell 9.")});
  must(colleague->fetch_attachment(editor.id(), photo));
  colleague.sync();
  auto read = colleague->open_attachment(photo.file.id);
  CHECK(verdict(read) == "done");
  start.app.sync();
  CHECK(must(start.app->refused()).empty());
  start.check_digests({&start.app, &colleague});
}

TEST_CASE("The save of a device that is revoked is accepted, and the device still erases itself") {
  Office start;
  App colleague(start.office, start.office.add_person(server::Role::monitor, start.office.scope));
  const core::RecordId record = start.shared_record();
  start.app.edit(record, "summary", text("Cell 5."));
  const core::DeviceId device = start.app->identity().device;
  REQUIRE(start.office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    transaction.revoke_device(transaction.device_by_id(device)->key, start.office.now);
    return {};
  }));
  static_cast<void>(start.app->sync({}));
  REQUIRE(start.quarantined() == 1);
  CHECK(start.accept({device, 2}) == "done");
  colleague.sync();
  CHECK(colleague.shown(record, "summary") == Values{text("Cell 5.")});
  CHECK(verdict(start.app->sync({})) == "wiped");
  start.check_digests({&colleague});
}

TEST_CASE("A revoked device that hears of it before it has handed in everything goes on to erase itself") {
  Office start;
  const core::RecordId record = start.shared_record();
  const core::OperationId refused = start.refuse_edit(record, "Cell 5.");
  start.may_write();
  start.app.edit(start.app.write("summary", text("Another.")), "beds", integer(3));
  CHECK(start.accept(refused) == "done");
  REQUIRE(start.office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    transaction.revoke_device(transaction.device_by_id(refused.device)->key, start.office.now);
    return {};
  }));
  static_cast<void>(start.app->sync({}));
  CHECK(verdict(start.app->sync({})) == "wiped");
  CHECK(start.quarantined() == 2);
}

TEST_CASE(
    "An office that was restored to before it accepted a save has it in quarantine again, and so have the devices") {
  Office start;
  App colleague(start.office, start.office.add_person(server::Role::monitor, start.office.scope));
  const core::RecordId record = start.shared_record();
  const core::OperationId refused = start.refuse_edit(record, "Cell 5.");
  start.office.keep_copy();
  CHECK(start.accept(refused) == "done");
  start.app.sync();
  colleague.sync();
  start.office.restore_copy();
  start.app.sync();
  colleague.sync();
  start.app.sync();
  REQUIRE(must(start.app->refused()).size() == 1);
  CHECK(start.app.shown(record, "summary") == Values{text("Cell 4.")});
  CHECK(colleague.shown(record, "summary") == Values{text("Cell 4.")});
  CHECK(start.accept(refused) == "done");
  start.app.sync();
  colleague.sync();
  CHECK(must(start.app->refused()).empty());
  CHECK(start.app.shown(record, "summary") == Values{text("Cell 5.")});
  CHECK(colleague.shown(record, "summary") == Values{text("Cell 5.")});
  start.check_digests({&start.app, &colleague});
}

TEST_CASE("An office that was restored to before it got a save refuses it again as it comes again") {
  Office start;
  const core::RecordId record = start.shared_record();
  start.office.keep_copy();
  const core::OperationId refused = start.refuse_edit(record, "Cell 5.");
  CHECK(start.accept(refused) == "done");
  start.app.sync();
  CHECK(must(start.app->refused()).empty());
  start.office.restore_copy();
  start.may_only_read();
  start.app.sync();
  start.app.sync();
  REQUIRE(must(start.app->refused()).size() == 1);
  CHECK(start.quarantined() == 1);
  CHECK(start.accept(refused) == "done");
  start.app.sync();
  CHECK(start.app.shown(record, "summary") == Values{text("Cell 5.")});
  start.check_digests({&start.app});
}

TEST_CASE("A save that the office returns is told with the office's note, and is amended as any other") {
  Office start;
  const core::RecordId record = start.shared_record();
  const core::OperationId refused = start.refuse_edit(record, "Cell 5.");
  must(start.app->settle_refusal(refused));
  CHECK(must(start.app->refused()).empty());
  CHECK(start.give_back(refused, "Камера 5 бош болчу.") == "done");
  CHECK(start.quarantined() == 1);
  start.app.sync();
  // Also where the first refusal was let be: this is another one.
  const auto told = must(start.app->refused());
  REQUIRE(told.size() == 1);
  CHECK(told.front().code == "returned");
  CHECK(told.front().message == "Камера 5 бош болчу.");
  CHECK(start.give_back(refused, "Once more.") == "invalid_argument");
  start.may_write();
  RecordEditor amended = must(start.app->amend(refused, {}));
  must(amended.set("summary", text("Cell 6.")));
  must(amended.save());
  start.app.sync();
  CHECK(must(start.app->refused()).empty());
  App colleague(start.office);
  CHECK(colleague.shown(record, "summary") == Values{text("Cell 6.")});
  CHECK(start.accept(refused) == "superseded");
}

TEST_CASE("A returned save may still be accepted, and its device drops it from what was refused") {
  Office start;
  const core::RecordId record = start.shared_record();
  const core::OperationId refused = start.refuse_edit(record, "Cell 5.");
  CHECK(start.give_back(refused, "Are you sure?") == "done");
  start.app.sync();
  CHECK(start.accept(refused) == "done");
  start.app.sync();
  CHECK(must(start.app->refused()).empty());
  CHECK(start.app.shown(record, "summary") == Values{text("Cell 5.")});
}

TEST_CASE("A note is a text of 1 to 500 characters") {
  Office start;
  const core::OperationId refused = start.refuse_edit(start.shared_record(), "Cell 5.");
  CHECK(start.give_back(refused, "") == "invalid_text");
  CHECK(start.give_back(refused, std::string(501, 'a')) == "invalid_text");
  CHECK(start.give_back(refused, "\x1b[2J") == "invalid_text");
  CHECK(start.give_back(refused, "\xff") == "invalid_text");
  CHECK(start.give_back(refused, std::string(500, 'a')) == "done");
}

TEST_CASE("What is wrong in itself is not accepted, and stays") {
  Office start;
  core::OperationId unknown{start.app->identity().device, 77};
  CHECK(start.accept(unknown) == "not_found");
  unknown.device.bytes.fill(9);
  CHECK(start.accept(unknown) == "not_found");
  const auto in_quarantine = [&](const std::string& bytes) {
    REQUIRE(start.office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
      const auto device = transaction.device_by_id(start.app->identity().device);
      transaction.quarantine({device->key, 50, "not_permitted", "A sentence.", bytes, start.office.now, {}});
      return {};
    }));
    const std::string verdict = start.accept({start.app->identity().device, 50});
    CHECK(start.quarantined() == (verdict == "done" ? 0 : 1));
    REQUIRE(start.office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
      transaction.leave_quarantine(transaction.device_by_id(start.app->identity().device)->key, 50);
      return {};
    }));
    return verdict;
  };
  CHECK(in_quarantine("no operation") == "malformed_operation");
  TestDevice device;
  core::Operation operation = device.save(start.office.scope, new_record(), {writes_text("Text.")}, 1);
  CHECK(in_quarantine(codec::encode_operation(operation)) == "done");
}
