#include "test_office.h"

#include <sodium.h>

#include <algorithm>
#include <cctype>

#include "codec/digest.h"
#include "codec/form_codec.h"
#include "codec/operation_codec.h"
#include "service/participation.h"

namespace fieldsync::testing {
namespace {

constexpr const char* visit_form = R"(
  name: "visit" version: 1 labels { language: "en" text: "Visit" }
  fields { number: 1 name: "summary" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Summary" } }
  fields { number: 2 name: "beds" type: FIELD_TYPE_INTEGER confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Beds" } has_range: true minimum: 0 maximum: 500 }
  fields { number: 3 name: "names" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_SEALED
           labels { language: "en" text: "Names" } }
  fields { number: 4 name: "photo" type: FIELD_TYPE_ATTACHMENT confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Photo" } })";
constexpr const char* note_form = R"(
  name: "note" version: 1 part_of: "visit" labels { language: "en" text: "Note" }
  fields { number: 1 name: "visit" type: FIELD_TYPE_REFERENCE confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Visit" } }
  fields { number: 2 name: "text" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Text" } }
  fields { number: 4 name: "photo" type: FIELD_TYPE_ATTACHMENT confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Photo" } })";
constexpr const char* facility_form = R"(
  name: "facility" version: 1 reference_data: true labels { language: "en" text: "Facility" }
  fields { number: 1 name: "title" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_TEAM
           labels { language: "en" text: "Title" } })";

template <typename Id>
Id random_id() {
  Id id;
  randombytes_buf(id.bytes.data(), id.bytes.size());
  return id;
}

void put_form(server::WriteTransaction& transaction, const char* text) {
  const auto parsed = codec::parse_form_text(text);
  REQUIRE(parsed);
  transaction.put_form({parsed->form.name, parsed->form.version, parsed->bytes, parsed->form.reference_data});
}

// Reads what was, writes to what is.
class StaleStore final : public server::Store {
 public:
  StaleStore(server::Store& was, server::Store& is) : was_(was), is_(is) {}
  Result<void> read(const std::function<Result<void>(server::ReadTransaction&)>& body) override {
    return was_.read(body);
  }
  Result<void> write(const std::function<Result<void>(server::WriteTransaction&)>& body) override {
    return is_.write(body);
  }

 private:
  server::Store& was_;
  server::Store& is_;
};

}  // namespace

TestOffice::TestOffice() : now{1'795'500'000'000} {
  REQUIRE(sodium_init() >= 0);
  randombytes_buf(cursor_key_.data(), cursor_key_.size());
  make_log_key();
  open();
  scope = random_id<core::ScopeId>();
  other_scope = random_id<core::ScopeId>();
  REQUIRE(store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    put_form(transaction, visit_form);
    put_form(transaction, facility_form);
    for (const core::ScopeId& each : {scope, other_scope}) {
      server::ScopeRow row;
      row.id = each;
      row.name = each == scope ? "Osh region" : "Another region";
      row.epoch = 7;
      transaction.add_scope(row);
    }
    return {};
  }));
  monitor = add_person(server::Role::monitor, scope);
}

void TestOffice::make_log_key() {
  codec::VerifyingKey public_key;
  crypto_sign_keypair(public_key.data(), log_key_.data());
}

void TestOffice::open() {
  auto opened = server::SqliteStore::open(file());
  REQUIRE(opened);
  store = std::move(*opened);
  make_services();
}

void TestOffice::make_services() {
  const auto clock = [this] { return now; };
  attachments = std::make_unique<server::AttachmentService>(*store, files, clock);
  service = std::make_unique<server::SyncService>(*store, *attachments, cursor_key_, server::AuditLog(log_key_, clock),
                                                  clock, records_read_per_day);
}

void TestOffice::close() {
  service.reset();
  attachments.reset();
  store.reset();
  // Closing writes the log into the database: it is one file now.
  REQUIRE_FALSE(std::filesystem::exists(folder_.path() / "server.db-wal"));
}

void TestOffice::keep_copy() {
  close();
  std::filesystem::copy_file(folder_.path() / "server.db", folder_.path() / "copy.db");
  open();
}

void TestOffice::restore_copy() {
  close();
  std::filesystem::copy_file(folder_.path() / "copy.db", folder_.path() / "server.db",
                             std::filesystem::copy_options::overwrite_existing);
  open();
}

Result<v1::SyncReply> TestOffice::sync_reading_the_copy(const TestDevice& device, const v1::SyncRequest& request) {
  const auto copy = server::SqliteStore::open((folder_.path() / "copy.db").string());
  REQUIRE(copy);
  StaleStore stale(**copy, *store);
  const auto clock = [this] { return now; };
  server::AttachmentService stale_attachments(stale, files, clock);
  return server::SyncService(stale, stale_attachments, cursor_key_, server::AuditLog(log_key_, clock), clock)
      .sync(device.id, request, server::BodyStyle::plain);
}

core::PersonId TestOffice::add_person(server::Role role, const core::ScopeId& where, server::ReadingMode mode) {
  const auto person = random_id<core::PersonId>();
  REQUIRE(store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    transaction.add_person({person, "A person"});
    return {};
  }));
  set_role(person, where, role, mode);
  return person;
}

void TestOffice::have_form(const char* text) {
  REQUIRE(store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    put_form(transaction, text);
    return {};
  }));
}

void TestOffice::have_notes() { have_form(note_form); }

void TestOffice::join(const core::PersonId& person, const core::RecordId& record) {
  REQUIRE(store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    server::ParticipationKeeper participation(transaction, transaction.record(record)->scope);
    participation.join(person, record);
    participation.settle();
    return {};
  }));
}

void TestOffice::leave(const core::PersonId& person, const core::RecordId& record) {
  REQUIRE(store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    server::ParticipationKeeper participation(transaction, transaction.record(record)->scope);
    participation.leave(person, record);
    participation.settle();
    return {};
  }));
}

void TestOffice::set_role(const core::PersonId& person, const core::ScopeId& where, server::Role role,
                          server::ReadingMode mode) {
  REQUIRE(store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    transaction.put_membership(person, transaction.scope(where)->key, role, mode);
    return {};
  }));
}

TestDevice TestOffice::add_device(const core::PersonId& person) {
  TestDevice device;
  server::DeviceRow row;
  row.id = device.id;
  row.public_key = device.public_key;
  row.person.id = person;
  row.name = "A phone";
  row.enrolled = now;
  REQUIRE(store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    transaction.add_device(row);
    service->audit_log().note_enrolment(transaction, row);
    return {};
  }));
  return device;
}

void TestOffice::revoke(const TestDevice& device) {
  REQUIRE(store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    transaction.revoke_device(transaction.device_by_id(device.id)->key, now);
    return {};
  }));
}

v1::SyncReply TestOffice::push(TestDevice& device, const std::vector<core::Operation>& operations) {
  const v1::Batch batch = device.batch(operations);
  const auto reply = sync(device, device.request(batch));
  REQUIRE(reply);
  device.acknowledged(batch, reply->acknowledged_counter());
  return *reply;
}

int TestOffice::pull(TestDevice& device, std::uint32_t budget) {
  for (int pages = 1; pages < 10'000; ++pages) {
    v1::SyncRequest request = device.request();
    request.set_reply_budget_bytes(budget);
    const auto reply = sync(device, request);
    REQUIRE(reply);
    device.take(*reply);
    if (!reply->more()) return pages;
    const auto brings = [](const v1::ScopeChanges& changes) {
      return changes.changes_size() > 0 && !changes.cursor().empty();
    };
    CHECK(std::any_of(reply->scopes().begin(), reply->scopes().end(), brings));
  }
  FAIL("the pages do not end");
  return 0;
}

Standing TestOffice::standing(const TestDevice& device) {
  Standing standing;
  REQUIRE(store->read([&](server::ReadTransaction& transaction) -> Result<void> {
    if (const auto row = transaction.device_by_id(device.id)) standing.last_counter = row->last_counter;
    standing.head = transaction.scope(scope)->head;
    standing.digest = transaction.scope(scope)->digest;
    standing.other_head = transaction.scope(other_scope)->head;
    standing.quarantined = transaction.counts().quarantined;
    standing.operations = transaction.counts().operations;
    return {};
  }));
  return standing;
}

void TestOffice::refuses(const TestDevice& device, const v1::SyncRequest& request, Errc code) {
  const Standing before = standing(device);
  const auto reply = sync(device, request);
  REQUIRE_FALSE(reply);
  CHECK(describe(reply.error().code).name == describe(code).name);
  check_sentence(reply.error().message());
  CHECK(standing(device) == before);
}

void TestOffice::quarantines(TestDevice& device, const std::string& operation, Errc code) {
  const Standing before = standing(device);
  const core::Operation good = device.save(scope, new_record(), {writes_text("Камера 4 суук.")}, 1);
  const v1::Batch batch = device.batch_of(list_of({operation, codec::encode_operation(good)}));
  const auto reply = sync(device, device.request(batch));
  REQUIRE(reply);
  CHECK(reply->acknowledged_counter() == before.last_counter + 2);
  REQUIRE(reply->results_size() == 1);
  CHECK(reply->results(0).counter() == before.last_counter + 1);
  CHECK(reply->results(0).outcome() == v1::OPERATION_OUTCOME_QUARANTINED);
  CHECK(reply->results(0).code() == describe(code).name);
  check_sentence(reply->results(0).message());
  device.refusals_digest += codec::hash_refusal(reply->results(0).counter(), reply->results(0).code());
  const Standing after = standing(device);
  CHECK(after.last_counter == before.last_counter + 2);
  CHECK(after.quarantined == before.quarantined + 1);
  CHECK(after.head == before.head + 1);
  CHECK(after.operations == before.operations + 1);
  CHECK(after.other_head == before.other_head);
  device.acknowledged(batch, reply->acknowledged_counter());
}

void TestOffice::quarantines(TestDevice& device, const core::Operation& operation, Errc code) {
  quarantines(device, codec::encode_operation(operation), code);
}

void check_sentence(const std::string& message) {
  INFO(message);
  REQUIRE(message.size() > 10);
  CHECK(std::isupper(static_cast<unsigned char>(message.front())) != 0);
  CHECK(message.back() == '.');
}

}  // namespace fieldsync::testing
