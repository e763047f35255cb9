#include "audit/history_verifier.h"

#include <catch2/catch.hpp>

#include "made_history.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

// Two devices at work: entries 1 to 12, of which batches are 3, 4, 6, 8, 10, 11.
struct Office {
  Office() {
    history.enrol(first);
    history.enrol(second);
    history.accept(first, "a first", 2);
    history.accept(second, "a second's first");
    history.act("scope_add");
    history.accept(first, "another");
    history.act("person_join");
    history.accept(first, "a third", 3);
    history.act("person_leave");
    history.accept(second, "a second's second");
    history.accept(second, "a second's third");
    history.act("device_revoke");
  }
  [[nodiscard]] std::string verdict(std::optional<audit::Checkpoint> wanted = {}) const {
    return verdict_of(history.file(), history.fingerprint(), std::move(wanted));
  }
  v1::AuditEntry read(std::size_t record) const {
    v1::AuditEntry entry;
    REQUIRE(entry.ParseFromString(history.records[record].entry.entry));
    return entry;
  }
  void write(std::size_t record, const v1::AuditEntry& entry) {
    history.records[record].entry.entry = entry.SerializeAsString();
  }

  SigningDevice first{11}, second{12};
  MadeHistory history;
};

std::string at(const std::string& code, std::size_t record) { return code + " " + std::to_string(record + 1); }

}  // namespace

TEST_CASE("An untouched history is sound, and counted", "[audit][verifier]") { CHECK(Office().verdict() == "sound"); }

TEST_CASE("Each entry that is altered, dropped, swapped, back-dated or signed by another key is named",
          "[audit][verifier]") {
  const std::size_t size = Office().history.records.size();
  for (std::size_t i = 0; i < size; ++i) {
    {
      Office office;
      office.history.records[i].entry.entry.back() ^= 1;
      const std::string verdict = office.verdict();
      INFO(verdict);
      CHECK(verdict == at("entry_altered", i));
    }
    {
      Office office;
      office.history.records.erase(office.history.records.begin() + static_cast<std::ptrdiff_t>(i));
      // The end says how many there were.
      std::string file = office.history.file();
      file.back() = static_cast<char>(size);
      CHECK(verdict_of(file, office.history.fingerprint()) == at("entry_dropped", i));
    }
    if (i + 1 < size) {
      Office office;
      std::swap(office.history.records[i], office.history.records[i + 1]);
      CHECK(office.verdict() == at("entry_swapped", i));
      // With their numbers written over.
      std::swap(office.history.records[i].entry.checkpoint.size, office.history.records[i + 1].entry.checkpoint.size);
      CHECK(office.verdict() == at("entry_swapped", i));
    }
    {
      Office office;
      v1::AuditEntry entry = office.read(i);
      entry.set_time_ms(entry.time_ms() - 86'400'000);
      office.write(i, entry);
      CHECK(office.verdict() == at("entry_back_dated", i));
      // By who has the log's key, and signs all anew: where the one before was later.
      office.history.sign_anew(i);
      if (i > 0) CHECK(office.verdict() == at("entry_back_dated", i));
    }
    {
      Office office;
      audit::sign(office.history.records[i].entry.checkpoint, signing_key_from(77));
      CHECK(office.verdict() == at("entry_signed_by_other_key", i));
    }
    {
      Office office;
      office.history.records.insert(office.history.records.begin() + static_cast<std::ptrdiff_t>(i),
                                    office.history.records[i]);
      CHECK(office.verdict() == at("entry_repeated", i + 1));
    }
  }
}

TEST_CASE("Each batch that is altered, missing, or signed by another device is named", "[audit][verifier]") {
  for (std::size_t i = 0; i < Office().history.records.size(); ++i) {
    if (!Office().history.records[i].batch) continue;
    {
      Office office;
      office.history.records[i].batch->mutable_content()->push_back('x');
      CHECK(office.verdict() == at("batch_altered", i));
    }
    {
      Office office;
      office.history.records[i].batch.reset();
      CHECK(office.verdict() == at("batch_missing", i));
    }
    {
      Office office;
      const auto signature =
          codec::sign_batch(codec::hash_from(office.read(i).batch().batch_hash()), office.history.key);
      office.history.records[i].batch->set_signature(signature.data(), signature.size());
      CHECK(office.verdict() == at("batch_signed_by_other_key", i));
    }
  }
}

TEST_CASE("Who has the log's key and signs all anew cannot change what devices signed", "[audit][verifier]") {
  SECTION("a batch of other content, with its hash in the entry") {
    Office office;
    v1::AuditEntry entry = office.read(2);
    office.history.records[2].batch->set_content("something milder");
    const auto hash = codec::hash_batch({office.first.id, 1, {}, codec::Encoding::plain}, "something milder");
    entry.mutable_batch()->set_batch_hash(hash.data(), hash.size());
    office.write(2, entry);
    office.history.sign_anew();
    CHECK(office.verdict() == at("batch_signed_by_other_key", 2));
  }
  SECTION("a batch that is left out: the next of its device does not follow") {
    Office office;
    office.history.records.erase(office.history.records.begin() + 2);
    office.history.sign_anew();
    CHECK(office.verdict() == at("batch_chain_broken", 4));
  }
  SECTION("another key for a device") {
    Office office;
    v1::AuditEntry entry = office.read(0);
    const auto other = audit::public_key_of(signing_key_from(99));
    entry.mutable_enrolment()->set_public_key(other.data(), other.size());
    office.write(0, entry);
    office.history.sign_anew();
    CHECK(office.verdict() == at("enrolment_wrong", 0));
  }
  SECTION("a device that was never enrolled") {
    Office office;
    office.history.records.erase(office.history.records.begin());
    office.history.sign_anew();
    CHECK(office.verdict() == at("batch_of_unknown_device", 1));
  }
  SECTION("the tail that is left out is found by a checkpoint alone") {
    Office office;
    const audit::Checkpoint held = office.history.records.back().entry.checkpoint;
    CHECK(office.verdict(held) == "sound");
    office.history.records.pop_back();
    CHECK(office.verdict() == "sound");
    CHECK(office.verdict(held) == at("checkpoint_missing", 11));
  }
  SECTION("an act that is another now is found by a checkpoint alone") {
    Office office;
    const audit::Checkpoint held = office.history.records.back().entry.checkpoint;
    v1::AuditEntry entry = office.read(8);
    entry.mutable_act()->set_act("person_add");
    office.write(8, entry);
    office.history.sign_anew();
    CHECK(office.verdict() == "sound");
    CHECK(office.verdict(held) == "checkpoint_missing 0");
  }
}

TEST_CASE("A history that was set back admits it, and only what its log signed", "[audit][verifier]") {
  Office office;
  const audit::Checkpoint held = office.history.records.back().entry.checkpoint;
  office.history.records.resize(9);
  office.history.admit_loss(held);
  CHECK(office.verdict() == "sound");
  CHECK(office.verdict(held) == "checkpoint_set_back 10");
  audit::Checkpoint made_up = held;
  made_up.root[0] ^= 1;
  office.history.admit_loss(made_up);
  CHECK(office.verdict() == "set_back_wrong 11");
}

TEST_CASE("A file that is cut anywhere is not sound", "[audit][verifier]") {
  const Office office;
  const std::string file = office.history.file();
  for (std::size_t size = audit::history_file_begins.size(); size < file.size(); ++size) {
    const std::string verdict = verdict_of(file.substr(0, size), office.history.fingerprint());
    INFO(size << ": " << verdict);
    CHECK((verdict.starts_with("file_cut") || verdict.starts_with("batch_missing")));
  }
}

TEST_CASE("A bit flipped anywhere in the file is noticed", "[audit][verifier]") {
  const Office office;
  std::string file = office.history.file();
  for (std::size_t byte = audit::history_file_begins.size(); byte < file.size(); ++byte) {
    const auto flip = static_cast<char>(1U << byte % 8);
    file[byte] = static_cast<char>(file[byte] ^ flip);
    if (verdict_of(file, office.history.fingerprint()) == "sound") FAIL("byte " << byte);
    file[byte] = static_cast<char>(file[byte] ^ flip);
  }
}

TEST_CASE("Nothing that its device did not sign may stand in a batch", "[audit][verifier]") {
  Office office;
  v1::Batch& batch = *office.history.records[2].batch;
  REQUIRE(batch.ParseFromString(batch.SerializeAsString() + "\x78\x01"));
  CHECK(office.verdict() == "batch_altered 3");
}

TEST_CASE("Another log's history, and another log's checkpoint, are not taken for this one's", "[audit][verifier]") {
  const Office office;
  CHECK(verdict_of(office.history.file(), MadeHistory(2).fingerprint()) == "other_log_key 0");
  audit::Checkpoint foreign = office.history.records[3].entry.checkpoint;
  audit::sign(foreign, signing_key_from(77));
  CHECK(office.verdict(foreign) == "checkpoint_foreign 0");
}
