// A device whose access was withdrawn hands in all that was saved on it, and then nobody reads it
// any more. What the link does meanwhile costs nothing.
#include "fieldsync/v1/problem.pb.h"
#include "forked_store.h"
#include "support/unlocked_store.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

const std::string photo_bytes(400'000, 'p');
constexpr AttachmentLimits text_only{.previews = false, .audio = false, .photos = false};

core::Attachment photo_in(App& app) {
  AttachmentWriter writer =
      must(app->add_attachment({core::AttachmentKind::photo, "image/jpeg", "IMG_1.jpg", "small"}));
  must(writer.write(photo_bytes));
  return must(writer.finish());
}

void revoke_device(AppOffice& office, App& app) {
  TestDevice device;
  device.id = app->identity().device;
  office.revoke(device);
}

// A phone with a record of the office's, two saves and a photo that wait, and revoked.
struct Revoked {
  AppOffice office;
  App app{office};
  const core::RecordId known = app.write("summary", text("Cell 4."));
  core::Attachment photo;

  Revoked() {
    app.sync();
    app.edit(known, "summary", text("Cell 5."));
    photo = photo_in(app);
    app.write("photo", core::Value(photo));
    revoke_device(office, app);
    app.requests.clear();
  }
  std::string_view sync(const SyncOptions& options = {.retries = 0}) { return verdict(app->sync(options)); }

  // What the office has of the saves that waited.
  std::vector<std::string> quarantined() {
    std::vector<std::string> codes;
    must(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
      for (const server::DeviceRow& device : transaction.devices()) {
        for (const auto& row : transaction.quarantined_up_to(device.key, device.last_counter))
          codes.push_back(std::to_string(row.counter) + " " + row.code);
      }
      return {};
    }));
    return codes;
  }
  void check_handed_in() {
    CHECK(quarantined() == std::vector<std::string>{"2 device_revoked", "3 device_revoked"});
    CHECK(office.files.published.size() == 2);
    CHECK((office.files.published[photo.file.id] == photo_bytes));
    App other(office);
    CHECK(other.shown(known, "summary") == Values{text("Cell 4.")});
  }
  void check_erased() {
    CHECK(app->lock_state() == LockState::locked);
    CHECK(verdict(app->status()) == "wiped");
    CHECK(verdict(app->read(known)) == "wiped");
    CHECK(verdict(app->sync({})) == "wiped");
    CHECK(verdict(app->unlock(app_credentials())) == "wiped");
  }
};

}  // namespace

TEST_CASE("A revoked device hands in its saves and photos, and is erased") {
  Revoked start;
  SyncReport report;
  SyncOptions options;
  options.on_report = [&](const SyncReport& done) { report = done; };
  CHECK(start.sync(options) == "wiped");
  CHECK(report.revoked);
  CHECK(report.operations_acknowledged == 2);
  CHECK(report.records_received == 0);
  start.check_handed_in();
  start.check_erased();
}

TEST_CASE("After a revoked device was erased, the folder is free for another person") {
  Revoked start;
  CHECK(start.sync() == "wiped");
  const std::string folder = start.app.folder();
  const core::PersonId other = start.office.add_person(server::Role::monitor, start.office.scope);
  start.app.close();
  CHECK(verdict(Database::open({.directory = folder})) == "wiped");
  CHECK_FALSE(std::filesystem::exists(folder + "/fieldsync.db"));
  start.app.restart();
  must(start.app->enrol(start.office.enrolment_for(other), "A phone"));
  CHECK(must(start.app->query({})).empty());
  start.app.sync();
  CHECK(start.app.shown(start.known, "summary") == Values{text("Cell 4.")});
  CHECK(must(start.app->refused()).empty());
}

TEST_CASE("A revoked device that holds nothing is erased with its next sync") {
  AppOffice office;
  App app(office);
  revoke_device(office, app);
  app.requests.clear();
  CHECK(verdict(app->sync({})) == "wiped");
  CHECK(app.requests.size() == 2);
}

TEST_CASE("Wherever the link breaks while a revoked device hands in, nothing is lost, doubled, or erased too early") {
  for (const bool reply_is_lost : {false, true}) {
    for (std::size_t exchange = 0; exchange < 5; ++exchange) {
      CAPTURE(reply_is_lost, exchange);
      Revoked start;
      for (std::size_t before = 0; before < exchange; ++before) start.app.faults.push_back(no_fault());
      start.app.faults.push_back(reply_is_lost ? lost_reply() : lost_request());
      CHECK(start.sync() == "connection_lost");
      CHECK(start.app->lock_state() == LockState::unlocked);
      CHECK(start.app.shown(start.known, "summary").size() == 1);
      start.app.restart();
      CHECK(start.sync() == "wiped");
      start.check_handed_in();
      start.check_erased();
    }
  }
}

TEST_CASE("A photo that may not travel now keeps a revoked device from being erased") {
  Revoked start;
  const SyncReport report = must(start.app->sync({.attachments = {.previews = true, .audio = true, .photos = false}}));
  CHECK(report.revoked);
  CHECK(report.operations_acknowledged == 2);
  CHECK(must(start.app->status()).attachments_waiting == 1);
  CHECK(start.sync() == "wiped");
  start.check_handed_in();
}

TEST_CASE("What the office took and does not call durable yet keeps a revoked device from being erased") {
  Revoked start;
  for (int i = 0; i < 3; ++i)
    start.app.changes.emplace_back([](v1::SyncReply& reply) { reply.set_durable_counter(2); });
  const SyncReport report = must(start.app->sync({}));
  CHECK(report.revoked);
  CHECK(report.operations_acknowledged == 2);
  CHECK(start.app.shown(start.known, "summary") == Values{text("Cell 4.")});
  start.app.changes.clear();
  CHECK(start.sync() == "wiped");
  start.check_handed_in();
}

TEST_CASE("A revoked device that was to read everything anew goes on showing what it had") {
  Revoked start;
  v1::Problem problem;
  problem.set_code("bad_cursor");
  problem.set_detail("The cursor was not given to this device by this server.");
  start.app.faults = {answer({400, "application/x-protobuf", problem.SerializeAsString()})};
  CHECK(must(start.app->sync({.attachments = text_only})).revoked);
  CHECK(start.app.shown(start.known, "summary") == Values{text("Cell 4.")});
}

TEST_CASE("What is saved while a revoked device hands in is handed in too") {
  Revoked start;
  int saved = 0;
  start.app.on_the_way = [&] {
    // With the last byte of the photo on its way.
    if (start.app.requests.size() == 5 && saved++ == 0) start.app.write("summary", text("At the last moment."));
  };
  CHECK(start.sync() == "wiped");
  CHECK(saved == 1);
  CHECK(start.quarantined() == std::vector<std::string>{"2 device_revoked", "3 device_revoked", "4 device_revoked"});
}

TEST_CASE("A device that is revoked while its photo travels goes on with it, and hands in the rest") {
  AppOffice office;
  App app(office);
  const core::Attachment photo = photo_in(app);
  app.write("photo", core::Value(photo));
  app.requests.clear();
  app.on_the_way = [&] {
    if (app.requests.size() != 4) return;
    revoke_device(office, app);
  };
  CHECK(verdict(app->sync({})) == "wiped");
  CHECK((office.files.published[photo.file.id] == photo_bytes));
  // The part of the request that was refused at once.
  CHECK(app.bytes_sent <= photo_bytes.size() + 5 + 256 * 1024);
}

TEST_CASE("A revoked device neither fetches nor sends what others saved") {
  AppOffice office;
  App author(office), reader(office);
  const core::Attachment photo = photo_in(author);
  const core::RecordId record = author.write("photo", core::Value(photo));
  author.sync();
  reader.sync();
  must(reader->fetch_attachment(record, photo));
  revoke_device(office, reader);
  reader.bytes_received = 0;
  CHECK(verdict(reader->sync({})) == "wiped");
  CHECK(reader.bytes_received == 0);
  CHECK(reader.bytes_sent == 0);
}

TEST_CASE("An office that was restored and does not know of the revocation any more is synced with as always") {
  AppOffice office;
  App app(office);
  const core::RecordId record = app.write("summary", text("Cell 4."));
  app.sync();
  office.keep_copy();
  revoke_device(office, app);
  app.edit(record, "summary", text("Cell 5."));
  // Told that it is revoked, it asks to hand in, and meets the restored office.
  app.requests.clear();
  app.on_the_way = [&] {
    if (app.requests.size() == 2) office.restore_copy();
  };
  const SyncReport report = must(app->sync({}));
  CHECK_FALSE(report.revoked);
  CHECK(must(app->status()).safe_to_erase);
  App other(office);
  CHECK(other.shown(record, "summary") == Values{text("Cell 5.")});
}

TEST_CASE("An office that lost a photo gets it again before the device that has it is erased") {
  AppOffice office;
  App app(office);
  const core::Attachment photo = photo_in(app);
  app.write("photo", core::Value(photo));
  must(app->sync({.attachments = text_only}));
  // So that something is left to be handed in.
  AttachmentWriter writer = must(app->add_attachment({core::AttachmentKind::audio, "audio/ogg", "a.ogg", {}}));
  must(writer.write(std::string(100'000, 'a')));
  app.write("photo", core::Value(must(writer.finish())));
  must(app->sync({.attachments = text_only}));
  const bool is_revoked_before = GENERATE(false, true);
  CAPTURE(is_revoked_before);
  if (is_revoked_before) revoke_device(office, app);
  office.keep_copy();
  must(app->sync({.attachments = {.previews = true, .audio = false, .photos = true}}));
  CHECK((office.files.published[photo.file.id] == photo_bytes));
  office.restore_copy();
  office.files.published.clear();
  if (!is_revoked_before) revoke_device(office, app);
  CHECK(verdict(app->sync({})) == "wiped");
  CHECK((office.files.published[photo.file.id] == photo_bytes));
  CHECK(office.files.published.size() == 3);
}

TEST_CASE("A revoked device hands in the photos that it named under its former id") {
  Start start;
  const core::Attachment photo = photo_in(start.app);
  start.app.write("photo", core::Value(photo));
  must(start.app->sync({.attachments = text_only}));
  const std::string copy = start.app.copy_store();
  start.app.write("summary", text("After the copy."));
  must(start.app->sync({.attachments = text_only}));
  start.app.put_back(copy);
  start.app.write("summary", text("Saved in the copy."));
  CHECK(verdict(start.app->sync({.attachments = text_only})) == "device_forked");
  start.enrol_again(start.app);
  must(start.app->sync({.attachments = text_only}));
  start.revoke_newest();
  CHECK(verdict(start.app->sync({})) == "wiped");
  CHECK((start.office.files.published[photo.file.id] == photo_bytes));
}

TEST_CASE("Two persons' devices that hand in one photo each bring it") {
  AppOffice office;
  App one(office), two(office, office.add_person(server::Role::monitor, office.scope));
  for (App* app : {&one, &two}) {
    (*app).write("photo", core::Value(photo_in(*app)));
    revoke_device(office, *app);
    CHECK(verdict((*app)->sync({})) == "wiped");
    CHECK(app->bytes_sent == photo_bytes.size() + 5);
  }
}

TEST_CASE("Servers behind one address of which only one knows of the revocation end the sync") {
  AppOffice office;
  App app(office);
  app.write("photo", core::Value(photo_in(app)));
  revoke_device(office, app);
  app.exchanges = 0;
  for (int i = 0; i < 20; ++i) app.changes.emplace_back([](v1::SyncReply& reply) { reply.set_revoked(false); });
  CHECK(verdict(app->sync({})) == "device_revoked");
  CHECK(app.exchanges < 10);
  CHECK(app->lock_state() == LockState::unlocked);
}

TEST_CASE("A reply that calls a device revoked which was not told so erases nothing") {
  AppOffice office;
  App app(office);
  const core::RecordId record = app.write("summary", text("Cell 4."));
  app.changes.emplace_back([](v1::SyncReply& reply) { reply.set_revoked(true); });
  app.sync();
  CHECK(app.shown(record, "summary") == Values{text("Cell 4.")});
  CHECK(app->lock_state() == LockState::unlocked);
}

TEST_CASE("An attachment that no save names goes with the device, and an open editor says so") {
  AppOffice office;
  App app(office);
  RecordEditor editor = must(app->create("inspection", office.scope));
  must(editor.set("photo", core::Value(photo_in(app))));
  revoke_device(office, app);
  CHECK(verdict(app->sync({})) == "wiped");
  CHECK(verdict(editor.save()) == "wiped");
}
