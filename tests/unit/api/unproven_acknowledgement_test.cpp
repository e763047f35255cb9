// An office that says it has what it never stored, by the ways that are not the plain reply: while two histories are
// compared, after a loss that it admits, and where it says nothing of its history at all.
#include "fieldsync/v1/enrol.pb.h"
#include "fieldsync/v1/problem.pb.h"
#include "forked_store.h"
#include "support/unlocked_store.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

constexpr const char* protobuf = "application/x-protobuf";
constexpr std::uint64_t saves = 10;

// The hash of the batch that the app signed up to there, as far as a reply names it.
std::string prefix_of_batch(App& app, std::uint64_t last) {
  app.close();
  std::string prefix;
  {
    const auto store = must(open_unlocked(app.folder() + "/fieldsync.db", api::real_environment()));
    const auto position = store->outbox.position_at(last, {});
    REQUIRE(position);
    prefix = std::string(codec::bytes_of(position->hash).substr(0, codec::previous_hash_prefix_bytes));
  }
  app.restart();
  return prefix;
}

// In place of the office's reply: the office hears nothing.
v1::SyncReply claims(std::uint64_t counter, const std::string& prefix) {
  v1::SyncReply reply;
  reply.set_acknowledged_counter(counter);
  reply.set_durable_counter(counter);
  reply.set_last_batch_hash_prefix(prefix);
  return reply;
}
Fault says(const v1::SyncReply& reply) { return answer({200, protobuf, reply.SerializeAsString()}); }
Fault says_revoked() {
  v1::Problem problem;
  problem.set_code("device_revoked");
  return answer({describe(Errc::device_revoked).http_status, protobuf, problem.SerializeAsString()});
}

// Nothing that it saved has reached its office, which pretends that another copy of the store did.
struct Deceived : Start {
  Deceived() {
    for (std::uint64_t i = 0; i < saves; ++i) app.write("summary", text("Cell " + std::to_string(i)));
    const Fault junk = says(claims(saves + 1, "no batch"));
    app.faults = {junk, junk};
    CHECK(verdict(app->sync({.retries = 0})) == "device_forked");
  }
  void check_all_waits() {
    const Status status = must(app->status());
    CHECK(status.saved_here == saves);
    CHECK(status.durable == 0);
    CHECK_FALSE(status.safe_to_erase);
    CHECK(operations_at(office) == 0);
  }
};

// The app hears nothing of the office's history.
void say_nothing(v1::SyncReply& reply) {
  reply.clear_checkpoint();
  reply.clear_consistency();
  reply.clear_log_key();
  reply.clear_receipt();
}

}  // namespace

TEST_CASE("What an office claims to have while histories are compared does not count without a receipt",
          "[api][history]") {
  Deceived start;
  start.app.faults = {says(claims(saves, prefix_of_batch(start.app, saves)))};
  CHECK(verdict(start.app->sync({.retries = 0})) == "receipt_invalid");
  start.check_all_waits();
  start.app.restart();
  start.check_all_waits();
  start.check_same(start.app, start.reader);
  CHECK(operations_at(start.office) == saves);
}

TEST_CASE("A revoked device is not erased on an office's word that it has everything", "[api][history]") {
  Deceived start;
  v1::SyncReply reply = claims(saves, prefix_of_batch(start.app, saves));
  reply.set_revoked(true);
  start.app.faults = {says_revoked(), says(reply), says(reply)};
  CHECK(verdict(start.app->sync({.retries = 0})) == "receipt_invalid");
  CHECK(start.app->lock_state() == LockState::unlocked);
  start.check_all_waits();
}

TEST_CASE("A store that gave up saves to its former id without receipts for them is never called safe to erase",
          "[api][history]") {
  Deceived start;
  start.enrol_again(start.app);
  start.app.sync();
  CHECK_FALSE(must(start.app->status()).safe_to_erase);
  start.revoke_newest();
  CHECK(must(start.app->sync({})).revoked);
  CHECK(start.app->lock_state() == LockState::unlocked);
  start.app.restart();
  CHECK_FALSE(must(start.app->status()).safe_to_erase);
}

TEST_CASE("A store whose former id has receipts for all that it gave up stays safe to erase", "[api][history]") {
  Start start;
  start.app.write("summary", text("Receipted."));
  start.app.sync();
  start.fork();
  start.enrol_again(start.app);
  start.app.sync();
  CHECK(must(start.app->status()).safe_to_erase);
  start.revoke_newest();
  CHECK(verdict(start.app->sync({})) == "wiped");
}

TEST_CASE("Receipts of a former id prove nothing of what is saved under the new one", "[api][history]") {
  Start start;
  start.app.write("summary", text("Receipted."));
  start.app.sync();
  start.fork();
  start.enrol_again(start.app);
  start.app.changes.emplace_back([](v1::SyncReply& reply) { reply.clear_receipt(); });
  CHECK(verdict(start.app->sync({.retries = 0})) == "receipt_invalid");
  CHECK(must(start.app->status()).saved_here == 1);
  start.check_same(start.app, start.reader);
}

TEST_CASE("A comparison is not begun by a reply whose history is another", "[api][history]") {
  Start start;
  start.app.write("summary", text("Known."));
  start.app.sync();
  start.app.write("summary", text("Waits."));
  start.app.changes.push_back([](v1::SyncReply& reply) {
    reply.set_last_batch_hash_prefix("no batch");
    reply.mutable_consistency()->back() ^= 1;
  });
  CHECK(verdict(start.app->sync({.retries = 0})) == "history_forked");
  CHECK(must(start.app->status()).saved_here == 1);
  CHECK(must(start.app->status()).durable == 1);
}

TEST_CASE("With a loss that the office admits, earlier receipts prove nothing any more", "[api][history]") {
  Start start;
  start.office.keep_copy();
  start.app.write("summary", text("Lost."));
  start.app.sync();
  const std::string prefix = prefix_of_batch(start.app, 1);
  start.office.restore_copy();
  start.app.changes.push_back([&](v1::SyncReply& reply) {
    reply.set_acknowledged_counter(1);
    reply.set_durable_counter(1);
    reply.set_last_batch_hash_prefix(prefix);
  });
  CHECK(verdict(start.app->sync({.retries = 0})) == "receipt_invalid");
  CHECK_FALSE(must(start.app->status()).history.checkpoint.empty());
  start.check_same(start.app, start.reader);
  CHECK(operations_at(start.office) == 1);
}

TEST_CASE("What a restored office has kept comes with a receipt of the history that goes on", "[api][history]") {
  Start start;
  start.app.write("summary", text("Kept."));
  start.app.sync();
  start.office.keep_copy();
  start.app.write("summary", text("Lost."));
  start.app.sync();
  start.office.restore_copy();
  std::vector<v1::SyncReply> replies;
  for (int i = 0; i < 2; ++i)
    start.app.changes.emplace_back([&](const v1::SyncReply& reply) { replies.push_back(reply); });
  CHECK(must(start.app->sync({})).history_set_back);
  REQUIRE_FALSE(replies.empty());
  CHECK(replies[0].has_set_back());
  CHECK(replies[0].has_receipt());
  CHECK(must(start.app->status()).saved_here == 0);
  CHECK(operations_at(start.office) == 2);
}

TEST_CASE("An enrolment that names no key of the office's history is refused", "[api][history]") {
  AppOffice office;
  App app(office, App::Fresh{});
  const std::string code = office.enrolment_for(office.monitor);
  v1::EnrolReply reply;
  reply.mutable_person()->set_id(std::string(office.monitor.view()));
  reply.mutable_person()->set_name("Aizada");
  for (const std::string& key : {std::string(), std::string(31, 'k')}) {
    reply.set_log_key(key);
    app.faults = {answer({200, protobuf, reply.SerializeAsString()})};
    CHECK(verdict(app->enrol(code, "A phone")) == "incompatible_server");
    CHECK(app->identity().person.is_none());
  }
  must(app->enrol(code, "A phone"));
}

TEST_CASE("A store that knows no key takes nothing of an office that names none", "[api][history]") {
  AppOffice office;
  App app(office);
  app.damage("DELETE FROM setting WHERE key IN ('log_key', 'checkpoint')");
  app.changes.emplace_back(say_nothing);
  CHECK(verdict(app->sync({.retries = 0})) == "incompatible_server");
  app.write("summary", text("Cell 4."));
  app.changes.emplace_back(say_nothing);
  CHECK(verdict(app->sync({.retries = 0})) == "receipt_invalid");
  CHECK(must(app->status()).saved_here == 1);
  app.sync();
  CHECK(must(app->status()).saved_here == 0);
}

TEST_CASE("A store that knows the key and no checkpoint takes nothing of an office that shows none", "[api][history]") {
  AppOffice office;
  App app(office);
  app.damage("DELETE FROM setting WHERE key = 'checkpoint'");
  app.changes.emplace_back(say_nothing);
  CHECK(verdict(app->sync({.retries = 0})) == "incompatible_server");
  app.sync();
}

TEST_CASE("A store from before there were receipts asks for one for all that counts as acknowledged",
          "[api][history]") {
  AppOffice office;
  App app(office);
  app.write("summary", text("Known."));
  app.sync();
  app.damage("DELETE FROM setting WHERE key IN ('receipted_counter', 'log_key', 'checkpoint')");
  CHECK_FALSE(must(app->status()).safe_to_erase);
  app.changes.emplace_back([](v1::SyncReply& reply) { reply.clear_receipt(); });
  CHECK(verdict(app->sync({.retries = 0})) == "receipt_invalid");
  app.sync();
  CHECK(must(app->status()).safe_to_erase);
}
