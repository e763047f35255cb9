// An app whose office shows another history than before: it says what is wrong, keeps what
// was saved, and goes on working.
#include <sodium.h>

#include "app_office.h"
#include "audit/checkpoint.h"
#include "fieldsync/v1/enrol.pb.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

using Change = std::function<void(v1::SyncReply&)>;

core::Value text(const char* words) { return core::Value(std::string(words)); }

// An office whose log gets another key.
struct BadOffice : AppOffice {
  void change_log_key() {
    close();
    make_log_key();
    open();
  }
};

codec::SigningKey other_key() {
  codec::VerifyingKey public_key{};
  codec::SigningKey key{};
  crypto_sign_keypair(public_key.data(), key.data());
  return key;
}

// What is saved stays saved, is shown, and can be edited; and goes once the office is in order.
void goes_on(App& app, const core::RecordId& record, std::uint64_t waiting) {
  CHECK(must(app->status()).saved_here == waiting);
  CHECK(app.shown(record, "summary") == Values{text("Cell 4.")});
  app.edit(record, "beds", core::Value(std::int64_t{4}));
  CHECK(must(app->status()).saved_here == waiting + 1);
  app.restart();
  CHECK(must(app->status()).saved_here == waiting + 1);
  app.sync();
  CHECK(must(app->status()).saved_here == 0);
}

// The app hears this in place of the true reply.
void refuses(const Change& change, std::string_view code) {
  AppOffice office;
  App app(office);
  app.write("summary", text("Known."));
  app.sync();
  const std::string before = must(app->status()).history.checkpoint;
  const core::RecordId record = app.write("summary", text("Cell 4."));
  app.changes.push_back(change);
  CHECK(verdict(app->sync({.retries = 0})) == code);
  CHECK(must(app->status()).history.checkpoint == before);
  goes_on(app, record, 1);
}

}  // namespace

TEST_CASE("An app holds the checkpoint that its office's log has, and the fingerprint of its key", "[api][history]") {
  AppOffice office;
  App app(office);
  app.write("summary", text("Cell 4."));
  app.sync();
  const HistoryStatus history = must(app->status()).history;
  CHECK(history.fingerprint == core::to_hex(audit::view_of(office.service->audit_log().fingerprint())));
  must(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
    CHECK(history.checkpoint == audit::text_of(server::checkpoint_of(*transaction.last_audit_entry())));
    CHECK(history.entries == transaction.last_audit_entry()->number);
    return {};
  }));
  CHECK(history.set_back.empty());
  app.restart();
  CHECK(must(app->status()).history.checkpoint == history.checkpoint);
}

TEST_CASE("An acknowledgement without a receipt does not count", "[api][history]") {
  refuses([](v1::SyncReply& reply) { reply.clear_receipt(); }, "receipt_invalid");
}

TEST_CASE("A receipt that proves nothing, or something else, does not count", "[api][history]") {
  refuses([](v1::SyncReply& reply) { reply.mutable_receipt()->set_number(1); }, "receipt_invalid");
  refuses([](v1::SyncReply& reply) { reply.mutable_receipt()->mutable_entry()->back() ^= 1; }, "receipt_invalid");
  refuses([](v1::SyncReply& reply) { reply.mutable_receipt()->mutable_path()->push_back('x'); }, "receipt_invalid");
  refuses([](v1::SyncReply& reply) { (*reply.mutable_receipt()->mutable_path())[0] ^= 1; }, "receipt_invalid");
}

TEST_CASE("The receipt of another batch, proven as it is, does not count", "[api][history]") {
  AppOffice office;
  App app(office);
  app.write("summary", text("Known."));
  v1::ProvenEntry former;
  app.changes.push_back([&](v1::SyncReply& reply) { former = reply.receipt(); });
  app.sync();
  const core::RecordId record = app.write("summary", text("Cell 4."));
  app.changes.push_back([&](v1::SyncReply& reply) {
    must(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
      former.set_path(audit::joined(
          audit::inclusion_path(former.number() - 1, reply.checkpoint().size(), server::nodes_of(transaction))));
      return {};
    }));
    *reply.mutable_receipt() = former;
  });
  CHECK(verdict(app->sync({.retries = 0})) == "receipt_invalid");
  goes_on(app, record, 1);
}

TEST_CASE("A checkpoint that another key signed is named", "[api][history]") {
  refuses([](v1::SyncReply& reply) { (*reply.mutable_checkpoint()->mutable_signature())[3] ^= 1; },
          "history_key_changed");
  refuses(
      [](v1::SyncReply& reply) {
        audit::Checkpoint checkpoint = *audit::read_checkpoint(reply.checkpoint());
        audit::sign(checkpoint, other_key());
        audit::write_checkpoint(checkpoint, *reply.mutable_checkpoint());
      },
      "history_key_changed");
  refuses([](v1::SyncReply& reply) { reply.mutable_checkpoint()->mutable_root()->pop_back(); }, "history_key_changed");
  refuses([](v1::SyncReply& reply) { reply.set_log_key(std::string(32, 'k')); }, "history_key_changed");
}

TEST_CASE("A history that does not go on from the one before is named", "[api][history]") {
  refuses([](v1::SyncReply& reply) { reply.clear_consistency(); }, "history_forked");
  refuses([](v1::SyncReply& reply) { reply.mutable_consistency()->back() ^= 1; }, "history_forked");
  refuses([](v1::SyncReply& reply) { reply.mutable_consistency()->append(32, 'x'); }, "history_forked");
}

TEST_CASE("An office whose database was exchanged for an older one, and whose program hides it, is found out",
          "[api][history]") {
  AppOffice office;
  App app(office);
  office.keep_copy();
  app.write("summary", text("Known."));
  app.sync();
  const HistoryStatus before = must(app->status()).history;
  office.restore_copy();
  const core::RecordId record = app.write("summary", text("Cell 4."));
  // It has the log's key, and does not say that the log was set back.
  SECTION("shortened") {
    app.changes.push_back([&](v1::SyncReply& reply) {
      reply.clear_set_back();
      must(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
        audit::write_checkpoint(server::checkpoint_of(*transaction.audit_entry(1)), *reply.mutable_checkpoint());
        return {};
      }));
    });
    CHECK(verdict(app->sync({.retries = 0})) == "history_shortened");
  }
  SECTION("grown again, into another one") {
    for (int i = 0; i < 5; ++i) static_cast<void>(office.add_device());
    app.changes.push_back([&](v1::SyncReply& reply) {
      reply.clear_set_back();
      reply.set_consistency(std::string(32 * 3, 'x'));
    });
    CHECK(verdict(app->sync({.retries = 0})) == "history_forked");
  }
  SECTION("with the admission of another loss") {
    app.changes.push_back([&](v1::SyncReply& reply) { reply.mutable_set_back()->mutable_entry()->back() ^= 1; });
    CHECK(verdict(app->sync({.retries = 0})) == "history_forked");
  }
  SECTION("with an admission that stands in no log") {
    app.changes.push_back([&](v1::SyncReply& reply) { reply.mutable_set_back()->mutable_path()->append(32, 'x'); });
    CHECK(verdict(app->sync({.retries = 0})) == "history_forked");
  }
  CHECK(must(app->status()).history.checkpoint == before.checkpoint);
  CHECK(must(app->status()).history.set_back.empty());
  CHECK(app.shown(record, "summary") == Values{text("Cell 4.")});
  app.sync();
  CHECK(must(app->status()).saved_here == 0);
}

TEST_CASE("A history that admits to have been set back is taken up, and both checkpoints are kept as evidence",
          "[api][history]") {
  AppOffice office;
  App app(office);
  office.keep_copy();
  app.write("summary", text("Known."));
  app.sync();
  app.write("summary", text("Known, too."));
  app.sync();
  const HistoryStatus before = must(app->status()).history;
  office.restore_copy();
  const SyncReport report = must(app->sync({}));
  CHECK(report.history_set_back);
  CHECK(must(app->status()).saved_here == 0);
  CHECK_FALSE(must(app->sync({})).history_set_back);
  for (int twice = 0; twice < 2; ++twice) {
    const HistoryStatus history = must(app->status()).history;
    REQUIRE(history.set_back.size() == 1);
    CHECK(history.set_back[0].checkpoint_before == before.checkpoint);
    CHECK(audit::parse_checkpoint(history.set_back[0].checkpoint_after));
    CHECK(history.set_back[0].entries_gone == 2);
    CHECK(history.set_back[0].at == office.now);
    CHECK(history.fingerprint == before.fingerprint);
    app.restart();
  }
}

TEST_CASE("An app that was enrolled before learns the log's key with its next sync, and holds to it",
          "[api][history]") {
  BadOffice office;
  App app(office);
  app.damage("DELETE FROM setting WHERE key IN ('log_key', 'checkpoint')");
  CHECK(must(app->status()).history.fingerprint.empty());
  app.sync();
  CHECK_FALSE(must(app->status()).history.fingerprint.empty());
  office.change_log_key();
  const core::RecordId record = app.write("summary", text("Cell 4."));
  CHECK(verdict(app->sync({.retries = 0})) == "history_key_changed");
  CHECK(must(app->status()).saved_here == 1);
  CHECK(app.shown(record, "summary") == Values{text("Cell 4.")});
}

TEST_CASE("Who enrols again takes the new key, and keeps what the former signed", "[api][history]") {
  BadOffice office;
  App app(office);
  app.write("summary", text("Known."));
  app.sync();
  const HistoryStatus before = must(app->status()).history;
  office.change_log_key();
  app.write("summary", text("Cell 4."));
  REQUIRE_FALSE(app->sync({.retries = 0}));
  must(app->enrol(office.enrolment_for(office.monitor), "A phone"));
  const HistoryStatus after = must(app->status()).history;
  CHECK(after.fingerprint != before.fingerprint);
  REQUIRE(after.set_back.size() == 1);
  CHECK(after.set_back[0].checkpoint_before == before.checkpoint);
  CHECK(after.set_back[0].checkpoint_after.empty());
  app.sync();
  CHECK(must(app->status()).saved_here == 0);
}

TEST_CASE("Who takes a new key is given a receipt anew for all that counts as acknowledged", "[api][history]") {
  BadOffice office;
  App app(office);
  app.write("summary", text("Known."));
  app.sync();
  office.change_log_key();
  // The newest checkpoint is by the new key.
  static_cast<void>(office.add_device());
  must(app->enrol(office.enrolment_for(office.monitor), "A phone"));
  CHECK_FALSE(must(app->status()).safe_to_erase);
  app.changes.emplace_back([](v1::SyncReply& reply) { reply.clear_receipt(); });
  CHECK(verdict(app->sync({.retries = 0})) == "receipt_invalid");
  app.sync();
  CHECK(must(app->status()).safe_to_erase);
}
