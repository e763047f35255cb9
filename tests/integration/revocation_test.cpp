// A right that ends while a request is under way: over real TLS, on links so slow that it has to be.
#include <sodium.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "codec/operation_codec.h"
#include "core/value.h"
#include "support/raw_device.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t photo_bytes = 40 * 1024 * 1024;
constexpr std::size_t chunk_bytes = 1024 * 1024;
constexpr std::uint32_t follow_up_evidence = 15;  // a field of text of the standard form
constexpr std::size_t saves = 20;
constexpr auto stopped_within = std::chrono::seconds(5);

// A save of Bakyt's names a photo of 40 MB; a client that is not ours, and is enrolled as Bakyt's, has its bytes.
class SlowClient : public RawClient {
 public:
  SlowClient() : bytes_(photo_bytes, '\0') {
    randombytes_buf(bytes_.data(), bytes_.size());
    core::Attachment photo;
    photo.kind = core::AttachmentKind::photo;
    photo.file.size = photo_bytes;
    crypto_hash_sha256(photo.file.id.sha256.data(), reinterpret_cast<const unsigned char*>(bytes_.data()),
                       bytes_.size());
    hash_ = photo.file.id.hex();
    server.enrol("Bakyt");
    const auto app = server.open("Bakyt");
    scope_ = app->scopes()->front().id;
    auto editor = app->create("follow_up", scope_);
    REQUIRE(editor);
    REQUIRE(editor->set("evidence_files", core::Value{photo}));
    REQUIRE(editor->save());
    REQUIRE(app->sync({}));
    enrol();
  }

  [[nodiscard]] std::string target() const { return "/v1/attachments/" + hash_; }

  // True where it was taken.
  [[nodiscard]] bool put(std::size_t offset, const std::string& rate) const {
    const std::string file = server.path("chunk");
    std::ofstream(file, std::ios::binary) << bytes_.substr(offset, chunk_bytes);
    const Finished done = curl(target() + "?offset=" + std::to_string(offset),
                               {"-X", "PUT", "-H", "Content-Type: application/octet-stream", "--data-binary",
                                "@" + file, "--limit-rate", rate});
    return done.output.ends_with("200");
  }
  void put_all() const {
    for (std::size_t offset = 0; offset < photo_bytes; offset += chunk_bytes) REQUIRE(put(offset, "1G"));
  }
  void revoke() const {
    const std::string devices = server.administer({"device", "list", "--json"}).output;
    const std::size_t raw = devices.find("\"raw\"");
    REQUIRE(raw != std::string::npos);
    const std::size_t begins = devices.rfind('{', raw);
    REQUIRE(server.administer({"device", "revoke", json_value(devices.substr(begins), "id")}).exit_code == 0);
  }
  [[nodiscard]] bool is_published() const {
    return std::filesystem::exists(server.path("server/attachments/" + hash_));
  }
  // Of everything in the folder, whole or not.
  [[nodiscard]] std::uintmax_t bytes_in_attachments() const {
    std::uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(server.path("server/attachments")))
      if (entry.is_regular_file()) bytes += entry.file_size();
    return bytes;
  }
  [[nodiscard]] const core::ScopeId& scope() const { return scope_; }
  [[nodiscard]] std::string operations() const {
    return json_value(server.administer({"status", "--json"}).output, "operations");
  }

 private:
  std::string bytes_;
  std::string hash_;
  core::ScopeId scope_;
};

// Runs `request`, revokes the device after a second, and says how long it went on.
template <typename Request>
Clock::duration goes_on_after_revocation(const SlowClient& client, Request request) {
  Clock::time_point ended;
  std::atomic<bool> is_under_way = true;
  std::thread other([&] {
    request();
    ended = Clock::now();
    is_under_way = false;
  });
  std::this_thread::sleep_for(std::chrono::seconds(1));
  CHECK(is_under_way);
  const auto revoked = Clock::now();
  client.revoke();
  other.join();
  return ended - revoked;
}

}  // namespace

TEST_CASE("An upload of 40 MB stops when its device is revoked, and nobody reads what came of it") {
  const SlowClient client;
  std::size_t chunks = 0;
  const auto went_on = goes_on_after_revocation(client, [&] {
    // Half a second for each.
    while (chunks * chunk_bytes < photo_bytes && client.put(chunks * chunk_bytes, "2M")) ++chunks;
  });
  CHECK(went_on < stopped_within);
  CHECK(chunks < photo_bytes / chunk_bytes);
  CHECK_FALSE(client.is_published());
  CHECK(client.bytes_in_attachments() == 0);
  CHECK_FALSE(client.put(chunks * chunk_bytes, "1G"));
  CHECK(client.curl(client.target(), {}).output.ends_with("401"));
}

TEST_CASE("One chunk under way ends with its connection") {
  const SlowClient client;
  bool is_taken = true;
  // Twenty seconds.
  const auto went_on = goes_on_after_revocation(client, [&] { is_taken = client.put(0, "50k"); });
  CHECK(went_on < stopped_within);
  CHECK_FALSE(is_taken);
  CHECK(client.bytes_in_attachments() == 0);
}

TEST_CASE("A save under way when its device is revoked is not stored") {
  const SlowClient client;
  TestDevice device = device_of(client);
  const std::string body = client.server.path("body");
  const auto send = [&](const std::string& rate) {
    return client
        .curl("/v1/sync",
              {"-H", "Content-Type: application/x-protobuf", "--data-binary", "@" + body, "--limit-rate", rate})
        .output;
  };
  // 160 KB; the first time at once, to see that they are in order.
  const auto batch = [&] {
    std::vector<std::string> operations;
    for (std::size_t i = 0; i < saves; ++i) {
      const core::FieldWrite evidence{{{}, follow_up_evidence}, core::Value{std::string(8'000, 'x')}, {}};
      operations.push_back(
          codec::encode_operation(device.save(client.scope(), new_record(), {evidence}, i, "follow_up")));
    }
    const v1::Batch made = device.batch_of(list_of(operations));
    write_to(body, device.request(made).SerializeAsString());
    return made;
  };
  const std::string before = client.operations();
  const v1::Batch first = batch();
  REQUIRE(send("1G").ends_with("200"));
  const std::string after = client.operations();
  REQUIRE(std::stoi(after) == std::stoi(before) + static_cast<int>(saves));
  device.acknowledged(first, saves);
  batch();
  std::string answer;
  // Fifteen seconds.
  const auto went_on = goes_on_after_revocation(client, [&] { answer = send("10k"); });
  CHECK(went_on < stopped_within);
  CHECK_FALSE(answer.ends_with("200"));
  CHECK(client.operations() == after);
  CHECK(json_value(client.server.administer({"status", "--json"}).output, "quarantined") == "0");
}

TEST_CASE("A long pull stops when its device is revoked") {
  const SlowClient client;
  client.put_all();
  REQUIRE(client.is_published());
  const std::string got = client.server.path("got");
  const auto went_on = goes_on_after_revocation(client, [&] {
    static_cast<void>(client.curl(client.target(), {"-o", got, "--limit-rate", "2M"}));
  });
  CHECK(went_on < stopped_within);
  CHECK(std::filesystem::file_size(got) < photo_bytes / 2);
  CHECK(client.curl(client.target(), {}).output.ends_with("401"));
}
