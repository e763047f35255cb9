// What the office writes into its audit log, and what it tells devices of it.
#include <sodium.h>

#include "audit/history_check.h"
#include "handlers/router.h"
#include "service/audit_log.h"
#include "service/day.h"
#include "service/enrolment.h"
#include "support/old_database.h"
#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

struct AuditedOffice : TestOffice {
  std::vector<server::AuditRow> rows() {
    std::vector<server::AuditRow> rows;
    REQUIRE(store->read([&](server::ReadTransaction& transaction) -> Result<void> {
      for (std::uint64_t number = 1; auto row = transaction.audit_entry(number); ++number) rows.push_back(*row);
      return {};
    }));
    return rows;
  }
  std::vector<v1::AuditEntry> entries() {
    std::vector<v1::AuditEntry> entries;
    for (const server::AuditRow& row : rows()) REQUIRE(entries.emplace_back().ParseFromString(row.entry));
    return entries;
  }
  audit::Checkpoint newest() { return server::checkpoint_of(rows().back()); }

  // Of a device that checks the history, and knows it up to `known`.
  v1::SyncRequest asks(const TestDevice& device, const std::optional<audit::Checkpoint>& known) {
    v1::SyncRequest request = device.request();
    request.set_checks_history(true);
    request.set_receipted_counter(device.last_counter);
    if (known) audit::write_checkpoint(*known, *request.mutable_checkpoint());
    return request;
  }
  // As version 3 left it.
  void become_version_3() {
    close();
    make_old(file(), 3);
    open();
  }
  void damage(const char* sql) {
    close();
    sqlite::Connection(file(), sqlite::OpenMode::read_write).execute(sql);
    open();
  }
  void allow_reads(std::size_t of_a_day) {
    records_read_per_day = of_a_day;
    make_services();
  }
  void change_log_key() {
    close();
    make_log_key();
    open();
  }
  [[nodiscard]] const codec::VerifyingKey& key() const { return service->audit_log().public_key(); }
};

// As the device would take it.
std::string verdict(const v1::SyncReply& reply, const audit::KnownHistory& known,
                    const std::optional<audit::AwaitedReceipt>& awaited = {}) {
  const auto checked = audit::check_history(reply, known, awaited);
  if (!checked) return std::string(describe(checked.error().code).name);
  return checked->loss ? "set back" : "goes on";
}

v1::Batch two_saves(AuditedOffice& office, const TestDevice& device) {
  return device.batch({device.save(office.scope, new_record(), {writes_text("A")}),
                       device.save(office.other_scope, new_record(), {writes_text("B")}, 1)});
}

}  // namespace

TEST_CASE("An accepted batch has an entry with its hash, and each entry a checkpoint that the log's key signed") {
  AuditedOffice office;
  TestDevice device = office.add_device();
  const v1::Batch batch = two_saves(office, device);
  REQUIRE(office.sync(device, device.request(batch)));
  device.acknowledged(batch, 2);
  const auto entries = office.entries();
  // The device named no position: it was given its own record, too.
  REQUIRE(entries.size() == 3);
  CHECK(entries[2].has_read());
  CHECK(entries[0].enrolment().public_key() == device.public_key);
  const v1::BatchAccepted& accepted = entries[1].batch();
  CHECK(accepted.device() == device.id.view());
  CHECK(accepted.first_counter() == 1);
  CHECK(accepted.last_counter() == 2);
  CHECK(accepted.batch_hash() == codec::bytes_of(device.last_hash));
  CHECK(accepted.quarantined() == 1);
  audit::GrowingTree tree;
  for (const server::AuditRow& row : office.rows()) {
    tree.append(audit::hash_leaf(row.entry));
    CHECK(audit::is_signed_by(server::checkpoint_of(row), office.key()));
    CHECK(row.root == tree.root());
  }
}

TEST_CASE("A batch that is refused as a whole leaves no entry") {
  AuditedOffice office;
  TestDevice device = office.add_device();
  v1::Batch batch = two_saves(office, device);
  (*batch.mutable_signature())[0] ^= 1;
  office.refuses(device, device.request(batch), Errc::bad_signature);
  CHECK(office.entries().size() == 1);
}

TEST_CASE("An enrolment has an entry with the device's whole key, once") {
  AuditedOffice office;
  const TestDevice device;
  std::string code;
  REQUIRE(office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    code = server::add_enrolment_code(transaction, office.monitor, office.now);
    return {};
  }));
  server::Enrolment enrolment(*office.store, office.service->audit_log(), [&] { return office.now; });
  v1::EnrolRequest request;
  request.set_protocol_version(1);
  request.set_code(code);
  request.set_device_name("A phone");
  for (int twice = 0; twice < 2; ++twice) {
    const auto reply = enrolment.enrol(request, device.public_key, {});
    REQUIRE(reply);
    CHECK(reply->log_key() == audit::view_of_key(office.key()));
  }
  const auto entries = office.entries();
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].enrolment().device() == device.id.view());
  CHECK(entries[0].enrolment().public_key() == device.public_key);
  CHECK(entries[0].enrolment().person() == office.monitor.view());
}

TEST_CASE("A page with records of a sensitive form is put on record, one without is not") {
  AuditedOffice office;
  TestDevice writer = office.add_device();
  TestDevice reader = office.add_device();
  const core::RecordId facility = new_record();
  office.push(writer, {writer.save(office.scope, facility, {{{{}, 1}, core::Value{std::string("A prison")}, {}}}, 0,
                                   "facility")});
  std::size_t before = office.entries().size();
  office.pull(reader);
  CHECK(office.entries().size() == before);
  const core::RecordId visit = new_record();
  office.push(writer, {writer.save(office.scope, visit, {writes_text("Cell 4")})});
  before = office.entries().size();
  office.pull(reader);
  const auto entries = office.entries();
  REQUIRE(entries.size() == before + 1);
  const v1::SensitiveRead& read = entries.back().read();
  CHECK(read.device() == reader.id.view());
  REQUIRE(read.scopes_size() == 1);
  CHECK(read.scopes(0).scope() == office.scope.view());
  REQUIRE(read.scopes(0).records_size() == 1);
  CHECK(read.scopes(0).records(0) == visit.view());
  CHECK(read.scopes(0).up_to_seq() == 2);
  // Nothing new: nothing is read.
  office.pull(reader);
  CHECK(office.entries().size() == before + 1);
}

TEST_CASE(
    "Beyond what a device may read in a day it is told nothing more and nothing is on record; what it sends is kept") {
  AuditedOffice office;
  TestDevice writer = office.add_device();
  TestDevice reader = office.add_device();
  office.push(writer, {writer.save(office.scope, new_record(), {writes_text("Cell 4")})});
  // Room for one entry that names two records.
  office.allow_reads(server::records_worth_of_an_entry + 2);
  const auto reads = [&] {
    const auto entries = office.entries();
    return std::count_if(entries.begin(), entries.end(),
                         [&](const v1::AuditEntry& entry) { return entry.read().device() == reader.id.view(); });
  };
  office.pull(reader);
  office.push(writer, {writer.save(office.scope, new_record(), {writes_text("Cell 5")})});
  CHECK(reads() == 1);
  const core::Operation save = reader.save(office.scope, new_record(), {writes_text("Cell 6")});
  const auto refused = office.sync(reader, reader.request(reader.batch({save})));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::read_limit);
  CHECK(office.standing(reader).last_counter == 1);
  CHECK(reads() == 1);
  office.now = office.now + core::Milliseconds{server::ms_per_day};
  const auto told = office.sync(reader, reader.request());
  REQUIRE(told);
  CHECK(told->acknowledged_counter() == 1);
  CHECK(reads() == 2);
}

TEST_CASE("Who fetches an attachment of a sensitive record is on record, and who is refused is not") {
  AuditedOffice office;
  TestDevice writer = office.add_device();
  TestDevice reader = office.add_device();
  TestDevice other = office.add_device(office.add_person(server::Role::coordinator, office.other_scope));
  const std::string bytes(100, 'p');
  core::Attachment photo;
  crypto_hash_sha256(photo.file.id.sha256.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  photo.file.size = 100;
  photo.kind = core::AttachmentKind::photo;
  const core::RecordId visit = new_record();
  office.push(writer, {writer.save(office.scope, visit, {{{{}, office_fields::photo}, core::Value{photo}, {}}})});
  auto upload = office.attachments->begin_upload(writer.id, photo.file.id, 0);
  REQUIRE(upload);
  (*upload)->take(bytes);
  REQUIRE((*upload)->finish());
  server::Router router(*office.store, *office.service, *office.attachments, [&] { return office.now; });
  const auto fetch = [&](const TestDevice& device) {
    server::Request request;
    request.method = "GET";
    request.target = "/v1/attachments/" + photo.file.id.hex();
    request.peer_key = device.public_key;
    return router.handle(request).status;
  };
  const std::size_t before = office.entries().size();
  CHECK(fetch(other) == 404);
  CHECK(office.entries().size() == before);
  CHECK(fetch(reader) == 200);
  const auto entries = office.entries();
  REQUIRE(entries.size() == before + 1);
  const v1::SensitiveRead& read = entries.back().read();
  CHECK(read.device() == reader.id.view());
  REQUIRE(read.scopes_size() == 1);
  REQUIRE(read.scopes(0).records_size() == 1);
  CHECK(read.scopes(0).records(0) == visit.view());
}

TEST_CASE("Times in the log never go back, whatever the clock does") {
  AuditedOffice office;
  TestDevice device = office.add_device();
  const core::Instant before = office.now;
  office.now = before + core::Milliseconds{1000};
  office.push(device, {device.save(office.scope, new_record(), {writes_text("A")})});
  office.now = before + core::Milliseconds{-86'400'000};
  office.push(device, {device.save(office.scope, new_record(), {writes_text("B")})});
  const auto rows = office.rows();
  CHECK(rows[1].time == before + core::Milliseconds{1000});
  CHECK(rows[2].time == rows[1].time);
}

TEST_CASE("A device that asks is shown the log's key and newest checkpoint, and then only what is new") {
  AuditedOffice office;
  TestDevice device = office.add_device();
  const auto first = office.sync(device, office.asks(device, {}));
  REQUIRE(first);
  CHECK(first->log_key() == audit::view_of_key(office.key()));
  CHECK(verdict(*first, {}) == "goes on");
  const audit::Checkpoint known = office.newest();
  const auto second = office.sync(device, office.asks(device, known));
  REQUIRE(second);
  CHECK_FALSE(second->has_checkpoint());
  CHECK(second->log_key().empty());
  CHECK(second->consistency().empty());
  office.push(device, {device.save(office.scope, new_record(), {writes_text("A")})});
  const auto third = office.sync(device, office.asks(device, known));
  REQUIRE(third);
  CHECK(third->checkpoint().size() > known.size);
  CHECK(third->log_key().empty());
  CHECK(verdict(*third, {office.key(), known}) == "goes on");
}

TEST_CASE("Who does not ask is told nothing of the log") {
  AuditedOffice office;
  TestDevice device = office.add_device();
  const v1::SyncReply reply = office.push(device, {device.save(office.scope, new_record(), {writes_text("A")})});
  CHECK_FALSE(reply.has_checkpoint());
  CHECK_FALSE(reply.has_receipt());
  CHECK(reply.log_key().empty());
}

TEST_CASE("What a device sends is receipted, and again when the reply was lost") {
  AuditedOffice office;
  TestDevice device = office.add_device();
  const audit::Checkpoint known = office.newest();
  const v1::Batch batch = two_saves(office, device);
  v1::SyncRequest request = office.asks(device, known);
  *request.mutable_batch() = batch;
  TestDevice after = device;
  after.acknowledged(batch, 2);
  const audit::AwaitedReceipt awaited{device.id, {2, after.last_hash}};
  for (int twice = 0; twice < 2; ++twice) {
    const auto reply = office.sync(device, request);
    REQUIRE(reply);
    CHECK(verdict(*reply, {office.key(), known}, awaited) == "goes on");
    CHECK(reply->receipt().number() == 2);
    // Meanwhile others work, too.
    TestDevice other = office.add_device();
    office.push(other, {other.save(office.scope, new_record(), {writes_text("C")})});
  }
  CHECK_FALSE(office.sync(after, office.asks(after, known))->has_receipt());
}

TEST_CASE("A restored office admits what it lost, once for each checkpoint, and goes on") {
  AuditedOffice office;
  TestDevice device = office.add_device();
  office.keep_copy();
  office.push(device, {device.save(office.scope, new_record(), {writes_text("A")})});
  const audit::Checkpoint lost = office.newest();
  office.restore_copy();
  v1::SyncReply reply;
  for (int twice = 0; twice < 2; ++twice) {
    const auto answered = office.sync(device, office.asks(device, lost));
    REQUIRE(answered);
    reply = *answered;
    CHECK(verdict(reply, {office.key(), lost}) == "set back");
  }
  const auto entries = office.entries();
  REQUIRE(entries.size() == 2);
  CHECK(audit::read_checkpoint(entries[1].set_back().lost()) == lost);
  // Another device was shown something else: its loss is another.
  audit::Checkpoint other = lost;
  other.root[0] ^= 1;
  CHECK(verdict(reply, {office.key(), other}) == "history_forked");
  const auto next = office.sync(device, office.asks(device, office.newest()));
  REQUIRE(next);
  CHECK_FALSE(next->has_set_back());
}

TEST_CASE("A node that reads what is old raises no false alarm, and admits no loss") {
  AuditedOffice office;
  TestDevice device = office.add_device();
  office.keep_copy();
  office.push(device, {device.save(office.scope, new_record(), {writes_text("A")})});
  const audit::Checkpoint known = office.newest();
  const std::size_t before = office.entries().size();
  const auto stale = office.sync_reading_the_copy(device, office.asks(device, known));
  REQUIRE(stale);
  CHECK(verdict(*stale, {office.key(), known}) == "goes on");
  CHECK_FALSE(stale->has_set_back());
  CHECK(office.entries().size() == before);
}

TEST_CASE("What a node has just written is receipted, although what it reads is older") {
  AuditedOffice office;
  TestDevice device = office.add_device();
  const audit::Checkpoint known = office.newest();
  office.keep_copy();
  const v1::Batch batch = two_saves(office, device);
  v1::SyncRequest request = office.asks(device, known);
  *request.mutable_batch() = batch;
  TestDevice after = device;
  after.acknowledged(batch, 2);
  const auto reply = office.sync_reading_the_copy(device, request);
  REQUIRE(reply);
  CHECK(verdict(*reply, {office.key(), known}, audit::AwaitedReceipt{device.id, {2, after.last_hash}}) == "goes on");
}

TEST_CASE("A checkpoint that this log's key never signed is no loss: the device is shown the key") {
  AuditedOffice office;
  TestDevice device = office.add_device();
  const audit::KnownHistory known{office.key(), office.newest()};
  AuditedOffice other;
  TestDevice there = other.add_device();
  const auto reply = other.sync(there, other.asks(there, known.checkpoint));
  REQUIRE(reply);
  CHECK_FALSE(reply->has_set_back());
  CHECK(verdict(*reply, known) == "history_key_changed");
  CHECK(other.entries().size() == 1);
}

TEST_CASE("A database of version 3 gets its log at the first start: every device, then every batch") {
  AuditedOffice office;
  TestDevice first = office.add_device();
  TestDevice second = office.add_device();
  office.push(first, {first.save(office.scope, new_record(), {writes_text("A")})});
  office.push(second, {second.save(office.other_scope, new_record(), {writes_text("B")})});
  office.push(first, {first.save(office.scope, new_record(), {writes_text("C")})});
  office.become_version_3();
  for (int twice = 0; twice < 2; ++twice) REQUIRE(server::begin_audit_log(*office.store, office.service->audit_log()));
  const auto entries = office.entries();
  REQUIRE(entries.size() == 5);
  CHECK(entries[0].has_enrolment());
  CHECK(entries[1].has_enrolment());
  CHECK(entries[2].batch().device() == first.id.view());
  CHECK(entries[3].batch().quarantined() == 1);
  CHECK(entries[4].batch().batch_hash() == codec::bytes_of(first.last_hash));
  TestDevice behind = first;
  behind.last_counter = 0;
  const auto reply = office.sync(first, office.asks(behind, {}));
  REQUIRE(reply);
  CHECK(verdict(*reply, {}, audit::AwaitedReceipt{first.id, {2, first.last_hash}}) == "goes on");
}

TEST_CASE("An office that admits a loss receipts what it kept, whatever the device had a receipt for") {
  AuditedOffice office;
  TestDevice device = office.add_device();
  office.push(device, {device.save(office.scope, new_record(), {writes_text("Kept")})});
  const codec::ChainPosition kept{1, device.last_hash};
  office.keep_copy();
  office.push(device, {device.save(office.scope, new_record(), {writes_text("Lost")})});
  const audit::Checkpoint lost = office.newest();
  office.restore_copy();
  const auto reply = office.sync(device, office.asks(device, lost));
  REQUIRE(reply);
  CHECK(reply->acknowledged_counter() == 1);
  CHECK(verdict(*reply, {office.key(), lost}, audit::AwaitedReceipt{device.id, kept}) == "set back");
}

TEST_CASE("A log of which somebody deleted an entry is called damaged where that entry is to be proven") {
  AuditedOffice office;
  TestDevice device = office.add_device();
  office.push(device, {device.save(office.scope, new_record(), {writes_text("A")})});
  office.damage("DELETE FROM audit_entry WHERE number = 2");
  TestDevice behind = device;
  behind.last_counter = 0;
  const auto reply = office.sync(device, office.asks(behind, {}));
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Errc::storage_corrupt);
}

TEST_CASE("A log that another key signed is not gone on with") {
  AuditedOffice office;
  static_cast<void>(office.add_device());
  office.change_log_key();
  const auto begun = server::begin_audit_log(*office.store, office.service->audit_log());
  REQUIRE_FALSE(begun);
  CHECK(begun.error().code == Errc::not_permitted);
}
