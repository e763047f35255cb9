// Photos from one device to the office and on to another, over links that break anywhere.
#include "app_office.h"
#include "support/unlocked_store.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

constexpr std::size_t chunk_bytes = 256 * 1024;
constexpr AttachmentLimits text_only{.previews = false, .audio = false, .photos = false};

std::string bytes_of(std::size_t size, char first = 'a') {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(first + i * 131 % 251);
  return bytes;
}

core::Attachment added(App& app, const std::string& bytes, const std::string& preview = {},
                       core::AttachmentKind kind = core::AttachmentKind::photo) {
  AttachmentWriter writer = must(app->add_attachment({kind, "image/jpeg", "IMG_1.jpg", preview}));
  for (std::size_t at = 0; at < bytes.size(); at += 70'001) must(writer.write(bytes.substr(at, 70'001)));
  return must(writer.finish());
}

// A photo in a record of its own, saved and not synced yet.
struct PhotoRecord {
  std::string bytes;
  core::Attachment photo;
  core::RecordId id;
};

PhotoRecord record_with_photo(App& app, std::size_t size, const std::string& preview = {}) {
  const std::string bytes = bytes_of(size);
  const core::Attachment photo = added(app, bytes, preview);
  return {bytes, photo, app.write("photo", core::Value(photo))};
}

std::string read_here(App& app, const core::AttachmentId& id) {
  AttachmentReader reader = must(app->open_attachment(id));
  std::string bytes;
  while (true) {
    const std::string piece = must(reader.read(100'000));
    if (piece.empty()) return bytes;
    bytes += piece;
  }
}

std::string at_office(AppOffice& office, const core::AttachmentId& id) {
  const auto at = office.files.published.find(id);
  return at == office.files.published.end() ? std::string() : at->second;
}

std::string_view sync_verdict(App& app) { return verdict(app->sync({.retries = 0})); }

AttachmentStage stage_of(App& app, const core::AttachmentId& id) {
  for (const AttachmentInfo& info : must(app->attachments())) {
    if (info.file.id == id) return info.stage;
  }
  FAIL("it is not here");
  return AttachmentStage::added;
}

// The other device asks for a photo and gets it.
std::string fetched(App& app, const core::RecordId& record, const core::Attachment& photo) {
  must(app->fetch_attachment(record, photo));
  app.sync();
  return read_here(app, photo.file.id);
}

}  // namespace

TEST_CASE("A photo goes to the office after its record, the preview first, and on to who asks for it") {
  AppOffice office;
  App one(office), two(office);
  const std::string small = bytes_of(3'000, 'p');
  const auto [bytes, photo, record] = record_with_photo(one, 600'000, small);
  CHECK(photo.file.size == bytes.size());
  CHECK(photo.preview->size == small.size());
  one.requests.clear();
  one.sync();
  const std::string path = "PUT /v1/attachments/";
  CHECK(one.requests == std::vector<std::string>{"POST /v1/sync", path + photo.preview->id.hex(),
                                                 path + photo.file.id.hex(), path + photo.file.id.hex()});
  CHECK(one.bytes_sent == bytes.size() + small.size());
  CHECK((at_office(office, photo.file.id) == bytes));
  CHECK(stage_of(one, photo.file.id) == AttachmentStage::at_office);
  one.sync();
  CHECK(one.bytes_sent == bytes.size() + small.size());

  two.sync();
  CHECK((two.shown(record, "photo") == Values{core::Value(photo)}));
  CHECK((read_here(two, photo.preview->id) == small));
  CHECK(verdict(two->open_attachment(photo.file.id)) == "attachment_not_here");
  CHECK((fetched(two, record, photo) == bytes));
  CHECK(two.bytes_received == bytes.size() + small.size());
}

TEST_CASE("An upload that is cut off anywhere goes on at the byte where it stopped") {
  AppOffice office;
  App app(office);
  const auto [bytes, photo, record] = record_with_photo(app, 700'000);
  std::uint64_t sent = 0;
  for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{16'383}, std::size_t{16'384},
                                std::size_t{65'536}, std::size_t{100'000}, chunk_bytes - 1}) {
    INFO("cut after " << cut << " bytes");
    app.faults = {no_fault(), cut_body(cut)};
    CHECK(sync_verdict(app) == "connection_lost");
    sent += cut;
    CHECK(app.bytes_sent == sent);
    CHECK(must(app->status()).attachments_waiting == 1);
    CHECK(at_office(office, photo.file.id).empty());
    app.restart();
  }
  app.sync();
  CHECK(app.bytes_sent == bytes.size());
  CHECK((at_office(office, photo.file.id) == bytes));
}

TEST_CASE("An upload whose answer was lost is not sent again") {
  AppOffice office;
  App app(office);
  const auto [bytes, photo, record] = record_with_photo(app, 100'000);
  app.faults = {no_fault(), lost_reply()};
  CHECK(sync_verdict(app) == "connection_lost");
  CHECK(must(app->status()).attachments_waiting == 1);
  app.sync();
  CHECK(app.bytes_sent == bytes.size());
  CHECK(must(app->status()).attachments_waiting == 0);
}

TEST_CASE("A link that breaks again and again is tried as long as bytes come through") {
  AppOffice office;
  App app(office);
  record_with_photo(app, 200'000);
  app.faults.push_back(no_fault());
  for (int i = 0; i < 19; ++i) app.faults.insert(app.faults.end(), {cut_body(10'000), no_fault()});
  app.sync();
  CHECK(app.bytes_sent == 200'000);
}

TEST_CASE("A download that is cut off anywhere goes on at the byte where it stopped") {
  AppOffice office;
  App one(office), two(office);
  const auto [bytes, photo, record] = record_with_photo(one, 700'000);
  one.sync();
  two.sync();
  must(two->fetch_attachment(record, photo));
  std::uint64_t received = 0;
  for (const std::size_t cut :
       {std::size_t{0}, std::size_t{1}, std::size_t{65'536}, std::size_t{100'000}, chunk_bytes - 1}) {
    INFO("cut after " << cut << " bytes");
    two.faults = {no_fault(), cut_reply(cut)};
    CHECK(sync_verdict(two) == "connection_lost");
    received += cut;
    CHECK(two.bytes_received == received);
    CHECK(verdict(two->open_attachment(photo.file.id)) == "attachment_not_here");
    two.restart();
  }
  two.sync();
  CHECK(two.bytes_received == bytes.size());
  CHECK((read_here(two, photo.file.id) == bytes));
}

TEST_CASE("A download that is cut off behind its last byte is whole, and not asked for again") {
  AppOffice office;
  App one(office), two(office);
  const auto [bytes, photo, record] = record_with_photo(one, 10'000);
  one.sync();
  two.sync();
  must(two->fetch_attachment(record, photo));
  two.faults = {no_fault(), cut_reply(bytes.size())};
  CHECK(sync_verdict(two) == "connection_lost");
  two.restart();
  two.sync();
  CHECK(two.bytes_received == bytes.size());
  CHECK((read_here(two, photo.file.id) == bytes));
}

TEST_CASE("A record is safe to erase when the office has all of it, its photo too") {
  AppOffice office;
  App app(office);
  CHECK(must(app->status()).safe_to_erase);
  const core::Attachment photo = added(app, bytes_of(5'000));
  CHECK_FALSE(must(app->status()).safe_to_erase);
  const core::RecordId record = app.write("photo", core::Value(photo));
  const core::RecordId other = app.write("summary", text("Cell 4"));
  CHECK(must(app->status()).attachment_bytes_waiting == 5'000);
  CHECK_FALSE(must(app->read(record)).safe_to_erase);
  app.faults = {no_fault(), cut_body(4'999)};
  CHECK(sync_verdict(app) == "connection_lost");
  CHECK(must(app->read(other)).safe_to_erase);
  CHECK(must(app->read(record)).progress == Progress::durable);
  CHECK_FALSE(must(app->read(record)).safe_to_erase);
  CHECK_FALSE(must(app->status()).safe_to_erase);
  app.sync();
  CHECK(must(app->read(record)).safe_to_erase);
  CHECK(must(app->query({})).at(0).safe_to_erase);
  CHECK(must(app->status()).safe_to_erase);
}

TEST_CASE("One photo in two records keeps both from being erased before it is sent") {
  AppOffice office;
  App app(office);
  const auto [bytes, photo, first] = record_with_photo(app, 5'000);
  const core::RecordId second = app.write("photo", core::Value(photo));
  app.faults = {no_fault(), cut_body(0)};
  CHECK(sync_verdict(app) == "connection_lost");
  CHECK_FALSE(must(app->read(first)).safe_to_erase);
  CHECK_FALSE(must(app->read(second)).safe_to_erase);
}

TEST_CASE("A preview in two records keeps both from being erased before it is sent") {
  AppOffice office;
  App one(office), two(office);
  record_with_photo(one, 5'000);
  one.sync();
  const auto [bytes, photo, first] = record_with_photo(two, 5'000, bytes_of(2'000, 'p'));
  const core::RecordId second = two.write("photo", core::Value(photo));
  two.faults = {no_fault(), cut_body(0)};
  CHECK(sync_verdict(two) == "connection_lost");
  CHECK(stage_of(two, photo.file.id) == AttachmentStage::at_office);
  CHECK_FALSE(must(two->read(first)).safe_to_erase);
  CHECK_FALSE(must(two->read(second)).safe_to_erase);
}

TEST_CASE("Bytes are freed only when the office has them, and come back when asked for") {
  AppOffice office;
  App app(office);
  const std::string bytes = bytes_of(300'000);
  const core::Attachment photo = added(app, bytes);
  CHECK(verdict(app->free_attachment(photo.file.id)) == "not_safe_to_erase");
  const core::RecordId record = app.write("photo", core::Value(photo));
  CHECK(verdict(app->free_attachment(photo.file.id)) == "not_safe_to_erase");
  app.sync();
  app.restart();
  const auto before = std::filesystem::file_size(app.folder() + "/fieldsync.db");
  must(app->free_attachment(photo.file.id));
  CHECK(verdict(app->open_attachment(photo.file.id)) == "attachment_not_here");
  app.restart();
  CHECK(std::filesystem::file_size(app.folder() + "/fieldsync.db") + bytes.size() < before);
  CHECK((fetched(app, record, photo) == bytes));
}

TEST_CASE("What was not finished is gone, and what no save names stays here") {
  AppOffice office;
  App app(office);
  {
    AttachmentWriter writer = must(app->add_attachment({core::AttachmentKind::audio, "audio/ogg", "", {}}));
    must(writer.write(bytes_of(3'000'000)));
    CHECK(must(app->attachments()).empty());
  }
  const core::Attachment kept = added(app, bytes_of(1'000));
  app.sync();
  CHECK(app.bytes_sent == 0);
  CHECK(stage_of(app, kept.file.id) == AttachmentStage::added);
  app.restart();
  CHECK(must(app->attachments()).size() == 1);
}

TEST_CASE("A store that is locked while a photo is added drops it, and says so") {
  AppOffice office;
  App app(office);
  AttachmentWriter writer = must(app->add_attachment({core::AttachmentKind::photo, "image/jpeg", "", {}}));
  must(writer.write(bytes_of(1'100'000)));
  app->lock();
  CHECK(verdict(writer.write(bytes_of(1'100'000))) == "locked");
  must(app->unlock(app_credentials()));
  CHECK(verdict(writer.finish()) == "locked");
  AttachmentWriter other = must(app->add_attachment({core::AttachmentKind::photo, "image/jpeg", "", {}}));
  must(other.write(bytes_of(1'100'000)));
  app->lock();
  must(app->unlock(app_credentials()));
  CHECK(verdict(other.finish()) == "attachment_not_here");
  CHECK(must(app->attachments()).empty());
}

TEST_CASE("Attachments have limits, and say which") {
  AppOffice office;
  App app(office);
  using Kind = core::AttachmentKind;
  CHECK(verdict(app->add_attachment({Kind::photo, "no type", "a.jpg", {}})) == "invalid_text");
  CHECK(verdict(app->add_attachment({Kind::photo, "image/jpeg", "../a.jpg", {}})) == "invalid_text");
  CHECK(verdict(app->add_attachment({Kind::photo, "", "", bytes_of(core::preview_bytes_max + 1)})) ==
        "value_too_large");
  AttachmentWriter empty = must(app->add_attachment({Kind::document, "", "", {}}));
  CHECK(verdict(empty.finish()) == "value_too_large");
  AttachmentWriter most = must(app->add_attachment({Kind::document, "", "", {}}));
  const std::string megabyte(1024 * 1024, 'x');
  for (int i = 0; i < 64; ++i) must(most.write(megabyte));
  CHECK(verdict(most.write("x")) == "value_too_large");
  CHECK(must(most.finish()).file.size == core::attachment_bytes_max);
  CHECK(verdict(app->space_for(core::attachment_bytes_max)) == "done");
  CHECK(verdict(app->space_for(core::attachment_bytes_max + 1)) == "value_too_large");
}

TEST_CASE("A disk without room says so before the photo is taken") {
  const TemporaryFolder folder;
  api::Environment environment = api::real_environment();
  environment.free_space = [](const std::string&) { return std::optional<std::uint64_t>(30'000'000); };
  const auto database =
      api::make_database(must(open_unlocked((folder.path() / "fieldsync.db").string(), std::move(environment))));
  must(database->space_for(4'000'000));
  const auto refused = database->space_for(10'000'000);
  CHECK(verdict(refused) == "storage_full");
  CHECK(refused.error().message().find("30 MB are free") != std::string::npos);
}

TEST_CASE("Only what may travel does, and the rest waits") {
  AppOffice office;
  App app(office);
  record_with_photo(app, 600'000, bytes_of(2'000, 'p'));
  const core::Attachment audio = added(app, bytes_of(50'000, 'o'), {}, core::AttachmentKind::audio);
  app.write("photo", core::Value(audio));
  must(app->sync({.attachments = {.previews = true, .audio = false, .photos = false}}));
  CHECK(app.bytes_sent == 2'000);
  must(app->sync({.attachments = {.photos = false}}));
  CHECK(app.bytes_sent == 52'000);
  must(app->sync({.attachments = {.bytes_max = 100'000}}));
  CHECK(app.bytes_sent == 152'000);
  must(app->sync({.attachments = {.bytes_max = 0}}));
  CHECK(app.bytes_sent == 152'000);
  app.sync();
  CHECK(app.bytes_sent == 652'000);
}

TEST_CASE("A small rest of a photo travels with the bytes before it") {
  AppOffice office;
  App app(office);
  const auto requests_for = [&](std::size_t size) {
    static_cast<void>(record_with_photo(app, size));
    app.requests.clear();
    app.sync();
    return std::count_if(app.requests.begin(), app.requests.end(),
                         [](const std::string& request) { return request.starts_with("PUT "); });
  };
  CHECK(requests_for(chunk_bytes + chunk_bytes / 2) == 1);
  CHECK(requests_for(chunk_bytes + chunk_bytes / 2 + 1) == 2);
}

TEST_CASE("What is saved while a photo travels goes before its next bytes") {
  AppOffice office;
  App app(office);
  record_with_photo(app, 600'000);
  bool wrote = false;
  app.on_the_way = [&] {
    if (app.requests.back().starts_with("PUT") && !std::exchange(wrote, true)) app.write("summary", text("Urgent"));
  };
  app.requests.clear();
  app.sync();
  REQUIRE(app.requests.size() == 4);
  CHECK(app.requests[1].starts_with("PUT"));
  CHECK(app.requests[2] == "POST /v1/sync");
  CHECK(app.requests[3].starts_with("PUT"));
}

TEST_CASE("Bytes that the office took and did not keep are sent once more, and not for ever") {
  AppOffice office;
  App app(office);
  const auto [bytes, photo, record] = record_with_photo(app, 100'000);
  // An earlier request, which came late, took the place of this one.
  v1::AttachmentStatus status;
  status.set_sha256(std::string(photo.file.id.view()));
  const Fault stands_still = answer({200, "application/x-protobuf", status.SerializeAsString()});
  SECTION("once") {
    app.faults = {no_fault(), stands_still};
    app.sync();
    CHECK((at_office(office, photo.file.id) == bytes));
  }
  SECTION("again") {
    app.faults = {no_fault(), stands_still, stands_still};
    CHECK(sync_verdict(app) == "incompatible_server");
    CHECK(must(app->status()).attachments_waiting == 1);
  }
}

TEST_CASE("Bytes that were spoiled at the office are sent again from the beginning") {
  AppOffice office;
  App app(office);
  const auto [bytes, photo, record] = record_with_photo(app, 300'000);
  app.faults = {no_fault(), cut_body(100'000)};
  CHECK(sync_verdict(app) == "connection_lost");
  REQUIRE(office.files.uploads.size() == 1);
  office.files.uploads.begin()->second[5'000] ^= 1;
  app.sync();
  CHECK((at_office(office, photo.file.id) == bytes));
  CHECK(app.bytes_sent == 300'000 + 300'000);
}

TEST_CASE("Bytes that are not what their name promises are never shown") {
  AppOffice office;
  App one(office), two(office);
  const auto [bytes, photo, record] = record_with_photo(one, 300'000);
  one.sync();
  two.sync();
  must(two->fetch_attachment(record, photo));
  office.files.published.at(photo.file.id)[5'000] ^= 1;
  CHECK(sync_verdict(two) == "attachment_damaged");
  CHECK(two.bytes_received == 2 * bytes.size());
  CHECK(verdict(two->open_attachment(photo.file.id)) == "attachment_not_here");
  office.files.published.at(photo.file.id) = bytes;
  two.sync();
  CHECK((read_here(two, photo.file.id) == bytes));
}

TEST_CASE("An office that lost its files gets them again from who has them") {
  AppOffice office;
  App one(office), two(office);
  const auto [bytes, photo, record] = record_with_photo(one, 10'000);
  office.keep_copy();
  one.sync();
  two.sync();
  office.restore_copy();
  office.files.published.clear();
  // It shows what it has read, and the office begins anew.
  one.sync();
  one.sync();
  CHECK((at_office(office, photo.file.id) == bytes));
  two.sync();
  CHECK((fetched(two, record, photo) == bytes));
}

TEST_CASE("An office that lost saves gets the photos that they name again, though it has grown since") {
  AppOffice office;
  App one(office), two(office);
  const core::RecordId record = one.write("summary", text("Cell 4"));
  one.sync();
  two.sync();
  office.keep_copy();
  const std::string bytes = bytes_of(10'000);
  const core::Attachment photo = added(one, bytes);
  one.edit(record, "photo", core::Value(photo));
  one.sync();
  office.restore_copy();
  office.files.published.clear();
  // As far as the position that the other device has.
  two.edit(record, "summary", text("Cell 5"));
  two.edit(record, "summary", text("Cell 6"));
  two.sync();
  one.sync();
  one.sync();
  CHECK((at_office(office, photo.file.id) == bytes));
}

TEST_CASE("An office that lost a photo and no save gets it again") {
  AppOffice office;
  App app(office);
  const auto [bytes, photo, record] = record_with_photo(app, 100'000, "small");
  must(app->sync({.attachments = text_only}));
  office.keep_copy();
  app.sync();
  CHECK(must(app->status()).safe_to_erase);
  office.restore_copy();
  office.files.published.clear();
  app.sync();
  CHECK((at_office(office, photo.file.id) == bytes));
  CHECK(at_office(office, photo.preview->id) == "small");
  const std::uint64_t sent = app.bytes_sent;
  app.sync();
  CHECK(app.bytes_sent == sent);
}

TEST_CASE("A photo that was offered beside a lost request is offered again in the same sync") {
  AppOffice office;
  App app(office);
  const auto [bytes, photo, record] = record_with_photo(app, 100'000);
  must(app->sync({.attachments = text_only}));
  // More saves than one batch holds.
  app.requests.clear();
  app.on_the_way = [&] {
    for (int i = 0; app.requests.size() == 1 && i < 1'200; ++i)
      app.write("summary", text("Saved while the request travels " + std::to_string(i * 7919)));
  };
  app.faults.push_back(lost_request());
  app.sync();
  CHECK((at_office(office, photo.file.id) == bytes));
  CHECK(must(app->status()).safe_to_erase);
}

TEST_CASE("An office that does not know a device any more gets its photos again with its saves") {
  AppOffice office;
  office.keep_copy();
  App app(office);
  const auto [bytes, photo, record] = record_with_photo(app, 10'000);
  app.sync();
  office.restore_copy();
  office.files.published.clear();
  CHECK(sync_verdict(app) == "unknown_device");
  must(app->enrol(office.enrolment_for(office.monitor), "A phone"));
  app.sync();
  CHECK((at_office(office, photo.file.id) == bytes));
}

TEST_CASE("What nobody has sent yet comes with a later sync") {
  AppOffice office;
  App one(office), two(office);
  const auto [bytes, photo, record] = record_with_photo(one, 10'000);
  must(one->sync({.attachments = {.photos = false}}));
  two.sync();
  must(two->fetch_attachment(record, photo));
  two.sync();
  CHECK(verdict(two->open_attachment(photo.file.id)) == "attachment_not_here");
  one.sync();
  two.sync();
  CHECK((read_here(two, photo.file.id) == bytes));
}

TEST_CASE("What is named in another scope before its bytes are here is brought there when they are") {
  AppOffice office;
  App one(office);
  const core::PersonId person = office.add_person(server::Role::monitor, office.scope);
  office.set_role(person, office.other_scope, server::Role::monitor);
  App two(office, person);
  App stranger(office, office.add_person(server::Role::monitor, office.other_scope));
  const auto [bytes, photo, record] = record_with_photo(one, 10'000);
  one.sync();
  two.sync();
  must(two->fetch_attachment(record, photo));
  RecordEditor editor = must(two->create("inspection", office.other_scope));
  must(editor.set("photo", core::Value(photo)));
  must(editor.save());
  two.sync();
  two.sync();
  stranger.sync();
  CHECK((fetched(stranger, editor.id(), photo) == bytes));
}

TEST_CASE("A save that the office has not seen yet keeps its photo waiting, whatever the office said meanwhile") {
  AppOffice office;
  const core::PersonId person = office.add_person(server::Role::monitor, office.scope);
  office.set_role(person, office.other_scope, server::Role::monitor);
  App app(office, person);
  App stranger(office, office.add_person(server::Role::monitor, office.other_scope));
  const PhotoRecord first = record_with_photo(app, 10'000);
  std::optional<core::RecordId> second;
  const auto name_it_there = [&] {
    RecordEditor editor = must(app->create("inspection", office.other_scope));
    must(editor.set("photo", core::Value(first.photo)));
    must(editor.save());
    second = editor.id();
  };
  std::string while_this_travels;
  SECTION("while its last bytes travel") { while_this_travels = "PUT"; }
  SECTION("while it is offered once more") {
    app.sync();
    // The office has it, and is asked because it was named anew.
    app.edit(first.id, "photo", core::Value(core::Empty{}));
    app.edit(first.id, "photo", core::Value(first.photo));
    while_this_travels = "POST";
  }
  app.on_the_way = [&] {
    if (!second && app.requests.back().starts_with(while_this_travels)) name_it_there();
  };
  bool said_safe_too_early = false;
  const auto look = [&](const SyncProgress&) {
    if (second && must(app->read(*second)).progress == Progress::saved_here)
      said_safe_too_early = said_safe_too_early || stage_of(app, first.photo.file.id) == AttachmentStage::at_office;
  };
  must(app->sync({.on_progress = look}));
  REQUIRE(second);
  CHECK_FALSE(said_safe_too_early);
  stranger.sync();
  CHECK((fetched(stranger, *second, first.photo) == first.bytes));
}

TEST_CASE("What is freed while it is fetched is fetched no more, and the sync goes on") {
  AppOffice office;
  App one(office), two(office);
  const PhotoRecord record = record_with_photo(one, 100'000);
  one.sync();
  two.sync();
  must(two->fetch_attachment(record.id, record.photo));
  two.on_the_way = [&] {
    if (two.requests.back().starts_with("GET")) must(two->free_attachment(record.photo.file.id));
  };
  two.sync();
  CHECK(must(two->attachments()).empty());
}

TEST_CASE("Who left a scope sends what it still has, and keeps nothing of it") {
  AppOffice office;
  const core::PersonId person = office.add_person(server::Role::monitor, office.scope);
  App app(office, person);
  const auto [bytes, photo, record] = record_with_photo(app, 10'000);
  office.set_role(person, office.scope, server::Role::none);
  app.sync();
  app.sync();
  CHECK(must(app->attachments()).empty());
  CHECK(must(app->query({})).empty());
  CHECK((at_office(office, photo.file.id) == bytes));
}
