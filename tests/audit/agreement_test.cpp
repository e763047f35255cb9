// The history of a real server, exported while it runs: `fieldsync-server verify` and the
// second verifier (verify.js) must say the same of it, and of everything that is done to it;
// and both must name the right entry, for every entry.
#include <algorithm>
#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "audit/history_file.h"
#include "support/temporary_folder.h"
#include "support/test_server.h"
#include "tls/key_pair.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

struct Record {
  audit::HistoryEntry entry;
  std::optional<v1::Batch> batch;
  bool lacks_entry = false;  // what stands in the file is its batch alone
};

v1::AuditEntry read(const Record& record) {
  v1::AuditEntry entry;
  REQUIRE(entry.ParseFromString(record.entry.entry));
  return entry;
}

void write(Record& record, const v1::AuditEntry& entry) { record.entry.entry = entry.SerializeAsString(); }

// An exported history, taken apart.
struct History {
  codec::VerifyingKey key{};
  std::vector<Record> records;
  std::uint64_t size = 0;  // as its end says

  explicit History(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string begin(audit::history_file_begins.size(), '\0');
    stream.read(begin.data(), static_cast<std::streamsize>(begin.size()));
    REQUIRE(begin == audit::history_file_begins);
    audit::HistoryRecord record;
    while (audit::read_record(stream, record) == audit::ReadOutcome::record) take(record);
  }

  [[nodiscard]] std::string bytes() const {
    std::string bytes(audit::history_file_begins);
    bytes += audit::key_record(key);
    for (const Record& record : records) {
      if (!record.lacks_entry) bytes += audit::entry_record(record.entry);
      if (record.batch) bytes += audit::batch_record(*record.batch);
    }
    return bytes + audit::end_record(size);
  }

  // As who has the log's key can.
  void sign_anew(const codec::SigningKey& log_key) {
    audit::GrowingTree tree;
    for (Record& record : records) {
      tree.append(audit::hash_leaf(record.entry.entry));
      record.entry.checkpoint = {tree.size(), {read(record).time_ms()}, tree.root(), {}};
      audit::sign(record.entry.checkpoint, log_key);
    }
    size = records.size();
  }

 private:
  void take(const audit::HistoryRecord& record) {
    switch (record.kind) {
      case audit::HistoryRecordKind::key: key = *audit::read_key(record.bytes); return;
      case audit::HistoryRecordKind::entry: records.push_back({*audit::read_entry(record.bytes), {}, false}); return;
      case audit::HistoryRecordKind::batch:
        REQUIRE(records.back().batch.emplace().ParseFromString(record.bytes));
        return;
      case audit::HistoryRecordKind::end: size = *audit::read_end(record.bytes);
    }
  }
};

codec::SigningKey other_key() { return *tls::signing_key(tls::make_device_key().private_key_pem); }

Finished succeeds(Finished finished) {
  INFO(finished.output);
  REQUIRE(finished.exit_code == 0);
  return finished;
}

// A server with some dozens of entries of every kind, among them of a history that was set back.
struct Office {
  Office() {
    for (const std::string store : {"phone", "tablet"}) server.enrol(store);
    for (int i = 0; i < 4; ++i) {
      for (const std::string store : {"phone", "tablet"}) {
        succeeds(server.app(store, {"new", "visit", "summary=Cell " + std::to_string(i)}));
        if (i % 2 == 0) succeeds(server.app(store, {"new", "facility", "capacity=" + std::to_string(i)}));
        succeeds(server.app(store, {"sync"}));
      }
      succeeds(server.administer({"scope", "add", "Scope " + std::to_string(i)}));
      succeeds(server.administer({"person", "add", "Person " + std::to_string(i), "--scope", "Osh region"}));
    }
    succeeds(server.administer({"person", "leave", "Person 1", "Osh region"}));
    fingerprint = json_value(succeeds(server.administer({"fingerprint", "--json"})).output, "fingerprint");
  }
  void export_to(const std::string& file) { succeeds(server.administer({"history", "export", server.path(file)})); }
  [[nodiscard]] std::string checkpoint(const std::string& store) const {
    return json_value(succeeds(server.app(store, {"--json", "status"})).output, "checkpoint");
  }
  [[nodiscard]] codec::SigningKey log_key() const {
    return *tls::signing_key(content_of(server.path("server/log.key")));
  }

  TestServer server;
  std::string fingerprint;
};

// Files to be verified, and what is to be said of each: "sound", or "code entry".
class Cases {
 public:
  explicit Cases(std::string fingerprint) : fingerprint_(std::move(fingerprint)) {}

  void add(const std::string& bytes, const std::string& expected) {
    files_.push_back((folder_.path() / std::to_string(files_.size())).string());
    write_to(files_.back(), bytes);
    expected_.push_back(expected);
  }
  void add(const History& history, const std::string& expected) { add(history.bytes(), expected); }

  // By both. `expected` "*": whatever, but the same of both, and not sound.
  void check(const std::string& checkpoint = {}) const {
    REQUIRE_FALSE(files_.empty());
    const std::vector<std::string> second = verdicts_of_second(checkpoint);
    REQUIRE(second.size() == files_.size());
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const std::string first = verdict_of_first(files_[i], checkpoint);
      INFO("case " << i << ": " << expected_[i]);
      CHECK(second[i] == first);
      if (expected_[i] != "*") {
        CHECK(first == expected_[i]);
      } else {
        CHECK(first != "sound");
      }
    }
  }

 private:
  static std::string verdict_in(const std::string& json) {
    const boost::json::value report = boost::json::parse(json);
    if (report.at("sound").as_bool()) return "sound";
    const auto* entry = report.as_object().if_contains("entry");
    return std::string(report.at("code").as_string()) + " " +
           std::to_string(entry == nullptr ? 0 : entry->to_number<std::uint64_t>());
  }

  [[nodiscard]] std::string verdict_of_first(const std::string& file, const std::string& checkpoint) const {
    std::vector<std::string> words{FIELDSYNC_SERVER, "verify", file, "--root", fingerprint_, "--json"};
    if (!checkpoint.empty()) words.insert(words.end(), {"--checkpoint", checkpoint});
    const Finished done = run(words);
    INFO(done.output);
    const std::string verdict = verdict_in(done.output);
    CHECK(done.exit_code == (verdict == "sound" ? 0 : 1));
    return verdict;
  }

  [[nodiscard]] std::vector<std::string> verdicts_of_second(const std::string& checkpoint) const {
    std::vector<std::string> words{FIELDSYNC_NODE, FIELDSYNC_SECOND_VERIFIER, fingerprint_};
    if (!checkpoint.empty()) words.insert(words.end(), {"--checkpoint", checkpoint});
    words.insert(words.end(), files_.begin(), files_.end());
    std::istringstream lines(run(words).output);
    std::vector<std::string> verdicts;
    for (std::string line; std::getline(lines, line);) {
      INFO(line);
      REQUIRE(line.starts_with('{'));
      verdicts.push_back(verdict_in(line));
    }
    return verdicts;
  }

  TemporaryFolder folder_;
  std::string fingerprint_;
  std::vector<std::string> files_;
  std::vector<std::string> expected_;
};

std::string at(const std::string& code, std::size_t record) { return code + " " + std::to_string(record + 1); }

void add_every_entry_done_to(const History& whole, Cases& cases) {
  const codec::SigningKey other = other_key();
  for (std::size_t i = 0; i < whole.records.size(); ++i) {
    History history = whole;
    history.records[i].entry.entry.back() ^= 1;
    cases.add(history, at("entry_altered", i));

    history = whole;
    history.records.erase(history.records.begin() + static_cast<std::ptrdiff_t>(i));
    cases.add(history, at("entry_dropped", i));

    history = whole;
    v1::AuditEntry entry = read(history.records[i]);
    entry.set_time_ms(entry.time_ms() - 86'400'000);
    write(history.records[i], entry);
    cases.add(history, at("entry_back_dated", i));

    history = whole;
    audit::sign(history.records[i].entry.checkpoint, other);
    cases.add(history, at("entry_signed_by_other_key", i));

    if (i + 1 == whole.records.size()) continue;
    history = whole;
    std::swap(history.records[i], history.records[i + 1]);
    cases.add(history, at("entry_swapped", i));
    std::swap(history.records[i].entry.checkpoint.size, history.records[i + 1].entry.checkpoint.size);
    cases.add(history, at("entry_swapped", i));
  }
}

void add_every_batch_done_to(const History& whole, Cases& cases) {
  const codec::SigningKey other = other_key();
  for (std::size_t i = 0; i < whole.records.size(); ++i) {
    if (!whole.records[i].batch) continue;
    History history = whole;
    history.records[i].batch->mutable_content()->back() ^= 1;
    cases.add(history, at("batch_altered", i));

    history = whole;
    history.records[i].batch.reset();
    cases.add(history, at("batch_missing", i));

    history = whole;
    history.records[i].lacks_entry = true;
    cases.add(history, at("entry_dropped", i));

    history = whole;
    const auto signature = codec::sign_batch(codec::hash_from(read(history.records[i]).batch().batch_hash()), other);
    history.records[i].batch->set_signature(signature.data(), signature.size());
    cases.add(history, at("batch_signed_by_other_key", i));
  }
}

// Where the batches of one device stand.
std::vector<std::size_t> batches_of_one(const History& history) {
  std::map<std::string, std::vector<std::size_t>> by_device;
  for (std::size_t i = 0; i < history.records.size(); ++i) {
    if (history.records[i].batch) by_device[read(history.records[i]).batch().device()].push_back(i);
  }
  REQUIRE_FALSE(by_device.empty());
  return std::max_element(by_device.begin(), by_device.end(),
                          [](const auto& left, const auto& right) { return left.second.size() < right.second.size(); })
      ->second;
}

void add_what_an_administrator_signs_anew(const History& whole, const codec::SigningKey& log_key, Cases& cases) {
  const std::vector<std::size_t> batches = batches_of_one(whole);
  REQUIRE(batches.size() >= 3);
  for (std::size_t i = 0; i + 1 < batches.size(); ++i) {
    // Other content, with its hash in the entry.
    History history = whole;
    Record& record = history.records[batches[i]];
    record.batch->mutable_content()->back() ^= 1;
    v1::AuditEntry entry = read(record);
    const auto device = core::DeviceId::from_bytes(entry.batch().device());
    const auto previous =
        i == 0 ? codec::BatchHash{} : codec::hash_from(read(whole.records[batches[i - 1]]).batch().batch_hash());
    const auto hash = codec::hash_batch(
        {*device, record.batch->first_counter(), previous, static_cast<codec::Encoding>(record.batch->encoding())},
        record.batch->content());
    entry.mutable_batch()->set_batch_hash(hash.data(), hash.size());
    write(record, entry);
    history.sign_anew(log_key);
    cases.add(history, at("batch_signed_by_other_key", batches[i]));

    // Left out: the device's next does not follow.
    history = whole;
    history.records.erase(history.records.begin() + static_cast<std::ptrdiff_t>(batches[i]));
    history.sign_anew(log_key);
    cases.add(history, at("batch_chain_broken", batches[i + 1] - 1));

    // Two in the other order.
    history = whole;
    std::swap(history.records[batches[i]], history.records[batches[i + 1]]);
    v1::AuditEntry first = read(history.records[batches[i]]);
    v1::AuditEntry second = read(history.records[batches[i + 1]]);
    const auto time = first.time_ms();
    first.set_time_ms(second.time_ms());
    second.set_time_ms(time);
    write(history.records[batches[i]], first);
    write(history.records[batches[i + 1]], second);
    history.sign_anew(log_key);
    cases.add(history, at("batch_chain_broken", batches[i]));
  }
  for (std::size_t i = 1; i < whole.records.size(); ++i) {
    // Dated before what it follows.
    History history = whole;
    v1::AuditEntry entry = read(history.records[i]);
    entry.set_time_ms(read(history.records[i - 1]).time_ms() - 1);
    write(history.records[i], entry);
    history.sign_anew(log_key);
    cases.add(history, at("entry_back_dated", i));
  }
}

std::string field_of(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number * 8 + 2), static_cast<char>(bytes.size())} + bytes;
}

// The same entry, or one that two readers may take for two, in bytes that no server writes.
std::vector<std::string> written_otherwise(const v1::AuditEntry& entry) {
  v1::AuditEntry timed;
  timed.set_time_ms(entry.time_ms());
  const std::string time = timed.SerializeAsString();
  const std::string content = entry.SerializeAsString().substr(time.size());
  const int number = static_cast<int>(entry.content_case());
  const std::string inside = content.substr(2);
  REQUIRE(content == field_of(number, inside));
  std::string long_time = time;
  long_time.back() = static_cast<char>(long_time.back() | 0x80);
  long_time += '\0';
  const std::string unknown = field_of(15, "x");
  const std::string set_back = field_of(v1::AuditEntry::kSetBack, ""), read = field_of(v1::AuditEntry::kRead, "");
  return {time + content + set_back,
          time + read + content,
          time + content + content,
          time + content + field_of(number, ""),
          time + time + content,
          content + time,
          long_time + content,
          time + content + unknown,
          time + field_of(number, inside + unknown),
          time + field_of(number, inside + inside.substr(0, 2 + core::DeviceId::size))};
}

// An entry of one batch whose numbers are written as no server does.
std::vector<std::string> numbers_written_otherwise(const v1::AuditEntry& entry) {
  v1::AuditEntry timed;
  timed.set_time_ms(entry.time_ms());
  const std::string inside = entry.batch().SerializeAsString();
  std::vector<std::string> written;
  for (const std::string& quarantined :
       {std::string("\x28\x00", 2), std::string("\x28\x81\x00", 3), std::string("\x28\x81\x80\x80\x80\x10")})
    written.push_back(timed.SerializeAsString() + field_of(v1::AuditEntry::kBatch, inside + quarantined));
  return written;
}

// The first entry of each kind, by who has the log's key.
void add_every_kind_written_otherwise(const History& whole, const codec::SigningKey& log_key, Cases& cases) {
  std::set<v1::AuditEntry::ContentCase> done;
  for (std::size_t i = 0; i < whole.records.size(); ++i) {
    const v1::AuditEntry entry = read(whole.records[i]);
    if (!done.insert(entry.content_case()).second) continue;
    std::vector<std::string> written = written_otherwise(entry);
    if (entry.has_batch() && entry.batch().quarantined() == 0) {
      for (const std::string& other : numbers_written_otherwise(entry)) written.push_back(other);
    }
    for (const std::string& bytes : written) {
      History history = whole;
      history.records[i].entry.entry = bytes;
      history.sign_anew(log_key);
      cases.add(history, at("entry_unreadable", i));
    }
  }
  REQUIRE(done.size() >= 3);
}

}  // namespace

TEST_CASE("Both verifiers refuse an entry that is not written as a server writes it", "[audit]") {
  Office office;
  office.export_to("whole");
  const History whole(office.server.path("whole"));
  Cases cases(office.fingerprint);
  cases.add(whole, "sound");
  add_every_kind_written_otherwise(whole, office.log_key(), cases);
  cases.check();
}

TEST_CASE("Both verifiers name what was done to a real server's history, for each of its entries", "[audit]") {
  Office office;
  office.export_to("whole");
  const History whole(office.server.path("whole"));
  REQUIRE(whole.records.size() > 30);
  Cases cases(office.fingerprint);
  cases.add(whole, "sound");
  REQUIRE(whole.bytes() == content_of(office.server.path("whole")));
  add_every_entry_done_to(whole, cases);
  add_every_batch_done_to(whole, cases);
  add_what_an_administrator_signs_anew(whole, office.log_key(), cases);
  cases.check();
}

TEST_CASE("Both verifiers know a history that was signed anew with another log key by its fingerprint", "[audit]") {
  Office office;
  office.export_to("whole");
  History history(office.server.path("whole"));
  const codec::SigningKey other = other_key();
  history.key = audit::public_key_of(other);
  history.sign_anew(other);
  Cases cases(office.fingerprint);
  cases.add(history, "other_log_key 0");
  cases.check();
}

TEST_CASE("Both verifiers agree on a file that is cut anywhere, and on one with a flipped bit", "[audit]") {
  Office office;
  office.export_to("whole");
  const std::string whole = content_of(office.server.path("whole"));
  Cases cases(office.fingerprint);
  for (std::size_t size = 0; size < whole.size(); size += 97) cases.add(whole.substr(0, size), "*");
  for (std::size_t byte = 0; byte < whole.size(); byte += 61) {
    std::string flipped = whole;
    flipped[byte] = static_cast<char>(flipped[byte] ^ static_cast<char>(1U << byte % 7));
    cases.add(flipped, "*");
  }
  cases.check();
}

TEST_CASE("A tail that is gone is found with the checkpoint that a device holds", "[audit]") {
  Office office;
  const std::string held = office.checkpoint("tablet");
  office.export_to("whole");
  History history(office.server.path("whole"));
  {
    Cases cases(office.fingerprint);
    cases.add(history, "sound");
    cases.check(held);
  }
  const std::uint64_t held_size = std::stoull(held.substr(std::string("fieldsync-checkpoint:1:").size()));
  history.records.resize(held_size - 1);
  history.sign_anew(office.log_key());
  Cases cases(office.fingerprint);
  cases.add(history, "sound");
  cases.check();
  Cases with_checkpoint(office.fingerprint);
  with_checkpoint.add(history, at("checkpoint_missing", held_size - 1));
  with_checkpoint.check(held);
}

TEST_CASE("A server that was restored admits it, and the device tells", "[audit]") {
  Office office;
  REQUIRE(office.server.stop() == 0);
  const std::filesystem::path folder = office.server.path("server");
  std::filesystem::copy_file(folder / "fieldsync-server.db", office.server.path("copy.db"));
  office.server.start();
  succeeds(office.server.app("phone", {"new", "facility", "capacity=7"}));
  succeeds(office.server.app("phone", {"sync"}));
  const std::string held = office.checkpoint("phone");
  REQUIRE(office.server.stop() == 0);
  std::filesystem::copy_file(office.server.path("copy.db"), folder / "fieldsync-server.db",
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(folder / "fieldsync-server.db-wal");
  office.server.start();
  CHECK(json_value(succeeds(office.server.app("phone", {"--json", "sync"})).output, "history_set_back") == "true");
  const std::string told = succeeds(office.server.app("phone", {"status"})).output;
  CHECK(told.find("It was set back on ") != std::string::npos);
  CHECK(json_value(succeeds(office.server.app("phone", {"--json", "status"})).output, "checkpoint_before") == held);
  office.export_to("after");
  Cases cases(office.fingerprint);
  const History after(office.server.path("after"));
  cases.add(after, "sound");
  cases.check();
  const auto admits = std::find_if(after.records.begin(), after.records.end(),
                                   [](const Record& record) { return read(record).has_set_back(); });
  REQUIRE(admits != after.records.end());
  Cases with_checkpoint(office.fingerprint);
  with_checkpoint.add(after, at("checkpoint_set_back", static_cast<std::size_t>(admits - after.records.begin())));
  with_checkpoint.check(held);
}

TEST_CASE("verify needs no server's folder, and says in plain words what it found", "[audit]") {
  Office office;
  office.export_to("whole");
  const std::string elsewhere = office.server.path("elsewhere");
  std::filesystem::create_directory(elsewhere);
  const std::string file = office.server.path("whole");
  const auto verify = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {FIELDSYNC_SERVER, "--dir", elsewhere, "verify"});
    return run(words);
  };
  const Finished sound = verify({file, "--root", office.fingerprint});
  CHECK(sound.exit_code == 0);
  CHECK(sound.output.starts_with("Sound: "));
  CHECK(sound.output.find(" batches by 2 devices, from 20") != std::string::npos);
  std::string bytes = content_of(file);
  bytes.resize(bytes.size() / 2);
  write_to(file, bytes);
  const Finished cut = verify({file, "--root", office.fingerprint});
  CHECK(cut.exit_code == 1);
  CHECK(cut.output.starts_with("Not sound: The file was cut off after entry "));
  CHECK(cut.output.ends_with("[file_cut]\n"));
  const Finished other = verify({file, "--root", std::string(64, '0')});
  CHECK(other.exit_code == 1);
  CHECK(other.output.find("[other_log_key]") != std::string::npos);
  for (const std::string& wrong : {std::string("5f"), std::string(64, 'x')})
    CHECK(verify({file, "--root", wrong}).output.find("[invalid_argument]") != std::string::npos);
  CHECK(verify({file + "-not", "--root", office.fingerprint}).output.find("[not_found]") != std::string::npos);
  CHECK(verify({file, "--root", office.fingerprint, "--checkpoint", "x"}).output.find("[invalid_argument]") !=
        std::string::npos);
  CHECK(office.server.administer({"history", "export", file}).output.find("There is a file") != std::string::npos);
}

TEST_CASE("A server whose log key is gone does not make another", "[audit]") {
  Office office;
  REQUIRE(office.server.stop() == 0);
  std::filesystem::remove(office.server.path("server/log.key"));
  for (const std::string command : {"status", "init"}) {
    const Finished refused = office.server.administer({command});
    CHECK(refused.exit_code == 1);
    CHECK(refused.output.find("log.key is gone") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(office.server.path("server/log.key")));
  }
}
