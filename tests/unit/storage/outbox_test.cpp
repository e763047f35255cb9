// How operations become batches, and how long they are kept.
#include "storage/outbox.h"

#include <sodium.h>

#include <catch2/catch.hpp>

#include "codec/operation_codec.h"
#include "storage/schema.h"
#include "support/core_builders.h"
#include "support/temporary_folder.h"
#include "support/test_unlocking.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

constexpr std::size_t any_size = 1'000'000;

// An outbox alone, with a device's key.
class Sender {
 public:
  Sender() {
    REQUIRE(sodium_init() >= 0);
    codec::VerifyingKey ignored;
    crypto_sign_keypair(ignored.data(), key.data());
    restart();
  }
  void restart() {
    outbox.reset();
    vault.reset();
    connection.reset();
    auto opened = storage::open_store((folder_.path() / "fieldsync.db").string(), true);
    REQUIRE(opened);
    connection = std::move(*opened);
    vault = std::make_unique<storage::Vault>(*connection);
    REQUIRE(open_vault(*connection, *vault));
    outbox = std::make_unique<storage::Outbox>(*connection, *vault);
  }

  // Does it as the library does.
  template <typename Change>
  auto in_transaction(Change change) {
    storage::Transaction transaction(*vault);
    auto result = change();
    transaction.commit();
    return result;
  }

  // Operations of random text, which no compression makes smaller.
  void save(std::size_t count, std::size_t bytes_each = 600, std::size_t elements = 3) {
    storage::Transaction transaction(*vault);
    for (std::size_t i = 0; i < count; ++i) {
      std::string noise(bytes_each / 2, '\0');
      randombytes_buf(noise.data(), noise.size());
      const auto made = operation({device(1), ++last_counter}, {sets(key_of_text, text(core::to_hex(noise)))});
      auto known = connection->prepare("INSERT OR IGNORE INTO record(id, scope) VALUES(?1, ?2)");
      known.bind_blob(1, made.record.view()).bind_blob(2, made.scope.view()).run();
      outbox->append({last_counter, made.record, codec::encode_operation(made), elements});
    }
    transaction.commit();
  }

  // The batch that follows what was acknowledged.
  std::optional<storage::SignedBatch> next(std::size_t wire_bytes_max = any_size) {
    return in_transaction([&] { return outbox->batch_after(acknowledged_, wire_bytes_max, device(1), key); });
  }
  std::optional<storage::SignedBatch> ahead_of(const storage::SignedBatch& in_flight,
                                               std::size_t wire_bytes_max = any_size) {
    return in_transaction([&] { return outbox->batch_ahead_of(in_flight, wire_bytes_max, device(1), key); });
  }
  // As after a reply that acknowledged this batch.
  void acknowledged(const storage::SignedBatch& batch) {
    acknowledged_ = batch.end();
    storage::Transaction transaction(*vault);
    outbox->remove_between(1, batch.last);
    transaction.commit();
  }

  std::unique_ptr<sqlite::Connection> connection;
  std::unique_ptr<storage::Vault> vault;
  std::unique_ptr<storage::Outbox> outbox;
  codec::SigningKey key{};
  std::uint64_t last_counter = 0;

 private:
  static constexpr core::FieldKey key_of_text{{}, fields::place_name};
  TemporaryFolder folder_;
  codec::ChainPosition acknowledged_;
};

codec::BatchHash hash_of(const storage::SignedBatch& batch) {
  return codec::hash_batch({device(1), batch.first, batch.previous, batch.encoding}, batch.content);
}

bool same(const storage::SignedBatch& left, const storage::SignedBatch& right) {
  return left.first == right.first && left.last == right.last && left.signature == right.signature &&
         left.content == right.content;
}

}  // namespace

TEST_CASE("Nothing saved is no batch") {
  Sender sender;
  CHECK_FALSE(sender.next());
}

TEST_CASE("A batch is stored before it is sent: after a restart the same bytes go out, though more was saved") {
  Sender sender;
  sender.save(3);
  const auto sent = sender.next();
  REQUIRE(sent);
  CHECK(sent->first == 1);
  CHECK(sent->last == 3);
  sender.save(2);
  sender.restart();
  const auto again = sender.next();
  REQUIRE(again);
  CHECK(same(*again, *sent));
  sender.acknowledged(*sent);
  const auto next = sender.next();
  REQUIRE(next);
  CHECK(next->first == 4);
  CHECK(next->last == 5);
  CHECK(next->previous == hash_of(*sent));
}

TEST_CASE("A batch is signed with the device's key over what the chain says") {
  Sender sender;
  sender.save(1);
  const auto batch = sender.next();
  REQUIRE(batch);
  codec::VerifyingKey verifying;
  std::copy_n(sender.key.begin() + 32, verifying.size(), verifying.begin());
  CHECK(codec::verify_batch(codec::hash_batch({device(1), 1, {}, codec::Encoding::zstd}, batch->content),
                            batch->signature, verifying));
}

TEST_CASE("A link that carries less gets a smaller cut, and whichever the server took is the one kept") {
  const bool large_was_taken = GENERATE(true, false);
  Sender sender;
  sender.save(20);
  const auto large = sender.next();
  REQUIRE(large);
  const auto small = sender.next(large->content.size() / 4);
  REQUIRE(small);
  REQUIRE(small->last < large->last);
  const storage::SignedBatch& taken = large_was_taken ? *large : *small;
  sender.acknowledged(taken);
  sender.save(1);
  const auto next = sender.next();
  REQUIRE(next);
  CHECK(next->first == taken.last + 1);
  CHECK(next->previous == hash_of(taken));
}

TEST_CASE("A refill puts each operation among those that wait once, in however many cuts it was sent") {
  Sender sender;
  sender.save(20);
  const auto large = sender.next();
  REQUIRE(large);
  const auto small = sender.next(large->content.size() / 4);
  REQUIRE(small);
  sender.acknowledged(*large);
  REQUIRE(sender.in_transaction([&] { return sender.outbox->reopen_after(0); }));
  CHECK(sender.outbox->all().size() == 20);
}

TEST_CASE("A cut that lost may have been sent: where a restored server got it late, the chain goes on from it") {
  Sender sender;
  sender.save(20);
  const auto large = sender.next();
  REQUIRE(large);
  const auto small = sender.next(large->content.size() / 4);
  REQUIRE(small);
  const auto prefix = [](const storage::SignedBatch& batch) {
    return std::string(codec::bytes_of(hash_of(batch)).substr(0, codec::previous_hash_prefix_bytes));
  };
  sender.acknowledged(*small);
  const auto behind = sender.next();
  REQUIRE(behind);
  REQUIRE(behind->last == large->last);
  // Two batches end there: the prefix tells which one the server has.
  const auto late = sender.outbox->position_at(large->last, prefix(*large));
  REQUIRE(late);
  CHECK(late->hash == hash_of(*large));
  sender.acknowledged(*large);
  sender.save(1);
  const auto next = sender.next();
  REQUIRE(next);
  CHECK(next->previous == hash_of(*large));
  // And the other way, after the one that the server forgot was extended.
  sender.acknowledged(*behind);
  const auto other = sender.next();
  REQUIRE(other);
  CHECK(other->first == next->first);
  CHECK(other->previous == hash_of(*behind));
  sender.acknowledged(*large);
  CHECK(same(*sender.next(), *next));
  CHECK_FALSE(sender.outbox->position_at(large->last, std::string(codec::previous_hash_prefix_bytes, 'x')));
}

TEST_CASE("What was prepared behind a cut that is now another is not sent") {
  Sender sender;
  sender.save(100);
  const auto large = sender.next(6'000);
  REQUIRE(large);
  const auto ahead = sender.ahead_of(*large, 6'000);
  REQUIRE(ahead);
  CHECK(ahead->first == large->last + 1);
  CHECK(ahead->previous == hash_of(*large));
  const auto small = sender.next(2'000);
  REQUIRE(small);
  REQUIRE(small->last < large->last);
  sender.acknowledged(*small);
  const auto next = sender.next(6'000);
  REQUIRE(next);
  CHECK(next->first == small->last + 1);
  CHECK(next->previous == hash_of(*small));
}

TEST_CASE("Nothing is prepared ahead while it is not sure how the server cut") {
  Sender sender;
  sender.save(20);
  const auto large = sender.next(6'000);
  const auto small = sender.next(2'000);
  REQUIRE(small);
  CHECK_FALSE(sender.ahead_of(*small, 2'000));
}

TEST_CASE("A batch aims at the size it was asked for") {
  Sender sender;
  sender.save(100);
  // The first guess at the compression is a guess; what follows knows.
  for (int i = 0; i < 3; ++i) {
    const auto batch = sender.next(8'192);
    REQUIRE(batch);
    INFO("batch " << i << ", " << batch->content.size() << " bytes");
    if (i > 0) CHECK(batch->content.size() <= 8'192 + 8'192 / 4);
    if (i > 0) CHECK(batch->content.size() > 4'096);
    sender.acknowledged(*batch);
  }
}

TEST_CASE("An operation that is larger than any aim has a batch of its own") {
  Sender sender;
  sender.save(1, 50'000);
  sender.save(1);
  const auto batch = sender.next(2'048);
  REQUIRE(batch);
  CHECK(batch->first == 1);
  CHECK(batch->last == 1);
  // It is also the one that is found again.
  const auto again = sender.next(2'048);
  REQUIRE(again);
  CHECK(same(*again, *batch));
}

TEST_CASE("A batch holds at most 500 operations") {
  Sender sender;
  sender.save(501, 20);
  const auto batch = sender.next();
  REQUIRE(batch);
  CHECK(batch->last == 500);
}

TEST_CASE("A batch holds at most 60,000 elements, which is what the server counts to") {
  Sender sender;
  sender.save(3, 20, 20'000);
  sender.save(1, 20, 1);
  const auto batch = sender.next();
  REQUIRE(batch);
  CHECK(batch->last == 3);
}

TEST_CASE("A batch ends before a gap in the counters") {
  Sender sender;
  sender.save(2);
  ++sender.last_counter;
  sender.save(1);
  const auto batch = sender.next();
  REQUIRE(batch);
  CHECK(batch->last == 2);
}

TEST_CASE("Without the batch before it there is no chain: the store says that it is damaged") {
  Sender sender;
  sender.save(2);
  storage::Transaction transaction(*sender.vault);
  sender.connection->execute("DELETE FROM operation WHERE counter = 1");
  const auto batch = sqlite::guard([&]() -> Result<std::uint64_t> {
    return sender.outbox->batch_after({1, {}}, any_size, device(1), sender.key)->last;
  });
  REQUIRE_FALSE(batch);
  CHECK(batch.error().code == Errc::storage_corrupt);
}

TEST_CASE("A refused operation is kept aside with its reason and is in no later batch") {
  Sender sender;
  sender.save(2);
  sender.in_transaction(
      [&] { return sender.outbox->refuse(1, "wrong_value_type", "The value is not of the field's type."); });
  const auto refused = sender.outbox->refused();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].counter == 1);
  CHECK(refused[0].record == record(1));
  CHECK(refused[0].code == "wrong_value_type");
  CHECK(refused[0].message == "The value is not of the field's type.");
  CHECK(sender.outbox->refused_count() == 1);
  CHECK(sender.outbox->of_record(record(1), 0).size() == 1);
}

TEST_CASE("What a restored server lost comes back into the outbox, byte for byte, refused ones too") {
  Sender sender;
  sender.save(6);
  const auto before = sender.outbox->of_record(record(1), 0);
  while (const auto batch = sender.next(300)) {
    if (batch->first <= 5 && batch->last >= 5)
      sender.in_transaction([&] { return sender.outbox->refuse(5, "unknown_form", "No such form."); });
    sender.acknowledged(*batch);
  }
  REQUIRE(sender.outbox->of_record(record(1), 0).empty());
  const auto records = sender.in_transaction([&] { return sender.outbox->reopen_after(2); });
  REQUIRE(records);
  CHECK(records->size() == 4);
  CHECK(sender.outbox->refused_count() == 0);
  const auto reopened = sender.outbox->of_record(record(1), 0);
  REQUIRE(reopened.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(reopened[i].counter == i + 3);
    CHECK((reopened[i].bytes == before[i + 2].bytes));
  }
}

TEST_CASE("No operation stands without its record") {
  Sender sender;
  const auto made = operation({device(1), 1}, {sets(core::FieldKey{{}, fields::place_name}, text("Cell 4."))});
  const storage::StoredOperation stored{1, made.record, codec::encode_operation(made), 3};
  const auto append = [&] {
    const storage::Transaction undone(*sender.vault);
    sender.outbox->append(stored);
  };
  CHECK_THROWS_AS(append(), sqlite::SqliteError);
  CHECK(sender.outbox->all().empty());
  sender.save(1);
  const auto remove = [&] {
    const storage::Transaction undone(*sender.vault);
    sender.connection->execute("DELETE FROM record");
  };
  CHECK_THROWS_AS(remove(), sqlite::SqliteError);
  CHECK(sender.outbox->all().size() == 1);
}
