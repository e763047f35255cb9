// The front door as an operator meets it: certificates that are renewed, a disk that is full, too few descriptors,
// too many connections, and what of TLS is spoken. Real processes.
#include <signal.h>
#include <sodium.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <thread>

#include "codec/operation_codec.h"
#include "core/value.h"
#include "load/tls_client.h"
#include "support/generic_refusal.h"
#include "support/raw_device.h"
#include "support/settings.h"

using namespace fieldsync;
using namespace fieldsync::testing;
using load::ClientContext;
using load::TlsClient;
namespace fs = std::filesystem;

namespace {

const std::string body = R"({"protocol_version":1})";
const std::string sync_request =
    "POST /v1/sync HTTP/1.1\r\nHost: office\r\nContent-Type: application/json\r\nContent-Length: " +
    std::to_string(body.size()) + "\r\n\r\n" + body;
const std::vector<std::string> json_sync{"-H", "Content-Type: application/json", "-d", body};

void succeed(const Finished& finished) {
  INFO(finished.output);
  REQUIRE(finished.exit_code == 0);
}

bool says(const Finished& finished, const std::string& text) { return finished.output.find(text) != std::string::npos; }

// The number of the certificate that new connections are shown.
std::string shown_certificate(const TestServer& server) {
  return run({"bash", "-c",
              "openssl s_client -connect 127.0.0.1:" + std::to_string(server.port()) +
                  " </dev/null 2>/dev/null | openssl x509 -noout -serial"})
      .output;
}

void certify(const TestServer& server, const std::string& key, const std::string& certificate) {
  succeed(run({"openssl", "req", "-x509", "-key", server.path("server/" + key), "-days", "90", "-subj", "/CN=office",
               "-out", server.path("server/" + certificate)}));
}

std::size_t lines_with(const std::string& file, const std::string& text) {
  std::istringstream lines(content_of(file));
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += line.find(text) != std::string::npos ? 1 : 0;
  return count;
}

void wait_for_line(const std::string& file, const std::string& text, std::size_t count) {
  for (int i = 0; i < 500 && lines_with(file, text) < count; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(lines_with(file, text) == count);
}

constexpr std::uint32_t saves = 30;
constexpr std::uint32_t follow_up_evidence = 15;  // a field of text of the standard form

std::string incompressible_text(std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < 7'000) text += static_cast<char>('A' + random() % 58);
  return text;
}

// The server's folder on a disk of its own that is small, for as long as this lives.
class SmallDisk {
 public:
  explicit SmallDisk(TestServer& server) : folder_(server.path("server")) {
    REQUIRE(server.stop() == 0);
    const std::string kept = server.path("kept");
    fs::rename(folder_, kept);
    fs::create_directory(folder_);
    is_mounted_ = ::mount("none", folder_.c_str(), "tmpfs", 0, "size=24m,mode=700") == 0;
    fs::copy(kept, folder_, fs::copy_options::recursive);
    server.start();
  }
  ~SmallDisk() {
    if (is_mounted_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] bool is_mounted() const { return is_mounted_; }
  void fill() const {
    std::ofstream file(filler(), std::ios::binary);
    const std::string page(4096, 'x');
    while (file.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) {
    }
  }
  void make_room() const { fs::remove(filler()); }

 private:
  [[nodiscard]] std::string filler() const { return folder_ + "/filler"; }

  std::string folder_;
  bool is_mounted_ = false;
};

// A client that is not ours, with a batch that the server has not got, and the bytes of a photo that it waits for.
class WritingClient : public RawClient {
 public:
  WritingClient() : photo_(300'000, 'x') {
    core::Attachment named;
    named.kind = core::AttachmentKind::photo;
    named.file.size = static_cast<std::uint32_t>(photo_.size());
    crypto_hash_sha256(named.file.id.sha256.data(), reinterpret_cast<const unsigned char*>(photo_.data()),
                       photo_.size());
    hash_ = named.file.id.hex();
    server.enrol("phone");
    const auto app = server.open("phone");
    const core::ScopeId scope = app->scopes()->front().id;
    auto editor = app->create("follow_up", scope);
    REQUIRE(editor);
    REQUIRE(editor->set("evidence_files", core::Value{named}));
    REQUIRE(editor->save());
    REQUIRE(app->sync({}));
    enrol();
    write_to(server.path("batch"), request_of_saves(scope));
    write_to(server.path("photo"), photo_);
  }

  [[nodiscard]] std::string send_batch() const {
    return curl("/v1/sync", {"-H", "Content-Type: application/x-protobuf", "--data-binary", "@" + server.path("batch")})
        .output;
  }
  [[nodiscard]] std::string send_photo() const {
    return curl("/v1/attachments/" + hash_ + "?offset=0", {"-X", "PUT", "-H", "Content-Type: application/octet-stream",
                                                           "--data-binary", "@" + server.path("photo")})
        .output;
  }
  [[nodiscard]] std::string photo_of_server() const { return content_of(server.path("server/attachments/" + hash_)); }

 private:
  // More than fits into what SQLite has set aside already.
  [[nodiscard]] std::string request_of_saves(const core::ScopeId& scope) const {
    const TestDevice device = device_of(*this);
    std::vector<std::string> operations;
    for (std::uint32_t i = 0; i < saves; ++i) {
      const core::FieldWrite evidence{{{}, follow_up_evidence}, core::Value{incompressible_text(i)}, {}};
      operations.push_back(codec::encode_operation(device.save(scope, new_record(), {evidence}, i, "follow_up")));
    }
    return device.request(device.batch_of(list_of(operations))).SerializeAsString();
  }

  std::string photo_;
  std::string hash_;
};

}  // namespace

TEST_CASE("A certificate is renewed without a restart: devices go on, open connections too") {
  RawClient client;
  client.enrol();
  TestServer& server = client.server;
  server.enrol("phone");
  const ClientContext raw({content_of(client.key()), content_of(client.certificate())});
  TlsClient open(server.port(), 1);
  REQUIRE(open.handshake(raw));
  REQUIRE(open.ask(sync_request).starts_with("HTTP/1.1 200"));

  const std::string first = shown_certificate(server);
  certify(server, "server.key", "server.crt");
  CHECK(shown_certificate(server) == first);
  succeed(server.administer({"reload-certificate"}));
  const std::string second = shown_certificate(server);
  CHECK(second != first);
  succeed(server.app("phone", {"sync"}));
  CHECK(open.ask(sync_request).starts_with("HTTP/1.1 200"));

  // The spare key in the place of the first, by the signal.
  fs::copy_file(server.path("server/spare.key"), server.path("server/server.key"),
                fs::copy_options::overwrite_existing);
  fs::copy_file(server.path("server/spare.crt"), server.path("server/server.crt"),
                fs::copy_options::overwrite_existing);
  REQUIRE(::kill(server.process(), SIGHUP) == 0);
  wait_for_line(server.path("server.log"), "event=certificate_read outcome=ok", 1);
  CHECK(shown_certificate(server) != second);
  succeed(server.app("phone", {"sync"}));
  CHECK(open.ask(sync_request).starts_with("HTTP/1.1 200"));
  CHECK(server.stop() == 0);
}

TEST_CASE("A certificate that does not fit its key is not taken, and the server goes on with the one it has") {
  TestServer server;
  server.enrol("phone");
  const std::string first = shown_certificate(server);
  const auto refuses = [&] {
    const Finished refused = server.administer({"reload-certificate"});
    INFO(refused.output);
    CHECK(refused.exit_code == 1);
    CHECK(says(refused, "[invalid_argument]"));
    CHECK(shown_certificate(server) == first);
    succeed(server.app("phone", {"sync"}));
  };
  certify(server, "spare.key", "server.crt");
  refuses();
  // Of another kind of key, and none at all.
  succeed(run({"openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=office", "-keyout",
               server.path("other.key"), "-out", server.path("server/server.crt")}));
  refuses();
  write_to(server.path("server/server.crt"), "no certificate");
  refuses();
  REQUIRE(::kill(server.process(), SIGHUP) == 0);
  wait_for_line(server.path("server.log"), "event=certificate_read outcome=invalid_argument", 1);
  REQUIRE(server.running());
  REQUIRE(server.stop() == 0);
  const Finished nobody = server.administer({"reload-certificate"});
  CHECK(nobody.exit_code == 1);
  CHECK(says(nobody, "No server runs here"));
}

TEST_CASE("On a full disk nothing is written and everything read, and room ends it") {
  RawClient client;
  client.enrol();
  TestServer& server = client.server;
  server.enrol("phone");
  succeed(server.app("phone", {"new", "visit", "summary=Before."}));
  succeed(server.app("phone", {"sync"}));
  const SmallDisk disk(server);
  if (!disk.is_mounted()) {
    WARN("No disk can be mounted here: only root may.");
    return;
  }
  const std::string code = server.enrolment_text();
  const std::string before = server.digest();
  // More than fits into what SQLite has set aside already.
  for (std::uint32_t i = 0; i < saves; ++i)
    succeed(server.app("phone", {"new", "visit", "summary=" + incompressible_text(i)}));
  disk.fill();

  // It tries again by itself, for some seconds.
  const Finished refused = server.app("phone", {"sync"});
  INFO(refused.output);
  CHECK(refused.exit_code == 1);
  CHECK(says(refused, "[storage_full]"));
  CHECK(server.digest() == before);
  const Finished not_enrolled = server.app("late", {"enrol", code, "--name", "late"});
  INFO(not_enrolled.output);
  CHECK((not_enrolled.exit_code == 0 || says(not_enrolled, "[storage_full]")));
  // Reads go on.
  const Finished read = client.curl("/v1/sync", json_sync);
  INFO(read.output.substr(0, 500));
  CHECK(read.output.ends_with("200"));
  CHECK(says(read, "Before."));
  succeed(server.administer({"check"}));
  // Nothing of it is there for a server that is started anew, either.
  server.kill();
  server.start();
  CHECK(server.digest() == before);

  disk.make_room();
  succeed(server.app("phone", {"sync"}));
  succeed(server.administer({"check"}));
  server.enrol("fresh");
  CHECK(server.digest("fresh") == server.digest());
  CHECK(json_value(server.app("fresh", {"--json", "status"}).output, "records") == std::to_string(1 + saves));
  CHECK(server.stop() == 0);
}

TEST_CASE("On a full disk a batch and a photo are answered with 507, and with 200 once there is room") {
  WritingClient client;
  TestServer& server = client.server;
  const SmallDisk disk(server);
  if (!disk.is_mounted()) {
    WARN("No disk can be mounted here: only root may.");
    return;
  }
  const std::string operations = json_value(server.administer({"status", "--json"}).output, "operations");
  disk.fill();
  for (const std::string& refused : {client.send_batch(), client.send_photo()}) {
    INFO(refused);
    CHECK(refused.ends_with("507"));
    CHECK(refused.find("\"code\":\"storage_full\"") != std::string::npos);
  }
  CHECK(json_value(server.administer({"status", "--json"}).output, "operations") == operations);
  disk.make_room();
  for (const std::string& taken : {client.send_batch(), client.send_photo()}) {
    INFO(taken.substr(0, 500));
    CHECK(taken.ends_with("200"));
  }
  CHECK(json_value(server.administer({"status", "--json"}).output, "operations") ==
        std::to_string(std::stoul(operations) + saves));
  CHECK(client.photo_of_server() == std::string(300'000, 'x'));
  succeed(server.administer({"check"}));
}

TEST_CASE("With few descriptors connections are turned away, and those that are open are served in full") {
  RawClient client;
  client.enrol();
  TestServer& server = client.server;
  REQUIRE(server.stop() == 0);
  server.start({"prlimit", "--nofile=64", "--"});
  const ClientContext raw({content_of(client.key()), content_of(client.certificate())});
  std::vector<std::unique_ptr<TlsClient>> open;
  for (int i = 0; i < 7; ++i) {
    open.push_back(std::make_unique<TlsClient>(server.port(), 1));
    REQUIRE(open.back()->handshake(raw));
    REQUIRE(open.back()->ask(sync_request).starts_with("HTTP/1.1 200"));
  }
  std::vector<std::unique_ptr<TlsClient>> flood;
  for (int i = 0; i < 200; ++i) flood.push_back(std::make_unique<TlsClient>(server.port(), 2 + i));
  CHECK(client.curl("/v1/sync", json_sync).output.ends_with("000"));
  // Each thread of the pool opens files of its own.
  std::vector<std::thread> threads;
  std::atomic<int> served = 0;
  for (const auto& one : open) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) served += one->ask(sync_request).starts_with("HTTP/1.1 200") ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(served == 7 * 20);
  succeed(server.administer({"status"}));
  flood.clear();
  open.clear();
  std::string again;
  for (int i = 0; i < 100 && !again.ends_with("200"); ++i) {
    again = client.curl("/v1/sync", json_sync).output;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(again.ends_with("200"));
  CHECK(lines_with(server.path("server.log"), "storage_failed") == 0);
  CHECK(server.stop() == 0);
  // As a sum, and no line for each.
  CHECK(lines_with(server.path("server.log"), "event=turned_away") == 1);
}

TEST_CASE("A server that may open too few files for its threads does not start") {
  TestServer server;
  REQUIRE(server.stop() == 0);
  const Finished refused =
      run({"prlimit", "--nofile=40", "--", FIELDSYNC_SERVER, "--dir", server.path("server"), "serve"});
  INFO(refused.output);
  CHECK(refused.exit_code == 1);
  CHECK(says(refused, "ulimit -n"));
}

TEST_CASE("Devices that are not enrolled, and hold their address's places, keep out nobody who is") {
  RawClient client;
  client.enrol();
  restart_with(client.server, "strangers_per_address_max", "2");
  const ClientContext enrolled({content_of(client.key()), content_of(client.certificate())});
  const ClientContext unknown(tls::make_device_key());
  std::vector<std::unique_ptr<TlsClient>> open;
  const auto is_let_in = [&](const ClientContext& context) {
    open.push_back(std::make_unique<TlsClient>(client.server.port(), 1));
    return open.back()->handshake(context);
  };
  CHECK(is_let_in(unknown));
  CHECK(is_let_in(unknown));
  for (int i = 0; i < 5; ++i) {
    REQUIRE(is_let_in(enrolled));
    CHECK(open.back()->ask(sync_request).starts_with("HTTP/1.1 200"));
    CHECK(is_let_in(unknown));
  }
  // Those that are known go on, whoever came since.
  for (std::size_t i = 2; i < open.size(); i += 2) CHECK(open[i]->ask(sync_request).starts_with("HTTP/1.1 200"));
}

TEST_CASE("Who is not enrolled is refused by the head alone, at every address") {
  RawClient client;
  const ClientContext raw({content_of(client.key()), content_of(client.certificate())});
  const auto answer_to = [&](const std::string& first, const std::string& type, std::size_t bytes) {
    TlsClient stranger(client.server.port(), 1);
    REQUIRE(stranger.handshake(raw));
    const auto began = std::chrono::steady_clock::now();
    std::string answer =
        stranger.ask(first + " HTTP/1.1\r\nHost: office\r\nAccept: application/json\r\nContent-Type: " + type +
                     "\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n");
    CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(1));
    check_tells_nothing(answer);
    return answer;
  };
  const std::string attachment = "PUT /v1/attachments/" + std::string(64, '0') + "?offset=0";
  const std::string expected = "HTTP/1.1 401";
  CHECK(answer_to("POST /v1/sync", "application/x-protobuf", 2'000'000).starts_with(expected));
  CHECK(answer_to("POST /v1/sync?hand_in", "application/json", 200'000).starts_with(expected));
  CHECK(answer_to(attachment, "application/octet-stream", 1'000'000).starts_with(expected));
  CHECK(answer_to(attachment + "&hand_in", "application/octet-stream", 1'000'000).starts_with(expected));
  // Here a stranger may send a body, of a code and a name.
  CHECK(answer_to("POST /v1/enrol", "application/json", 4'097).starts_with("HTTP/1.1 413"));
}

TEST_CASE("An enrolment that drips is ended like a header that does") {
  RawClient client;
  const ClientContext raw({content_of(client.key()), content_of(client.certificate())});
  TlsClient stranger(client.server.port(), 1);
  REQUIRE(stranger.handshake(raw));
  REQUIRE(stranger.send(
      "POST /v1/enrol HTTP/1.1\r\nHost: office\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n"));
  const auto began = std::chrono::steady_clock::now();
  std::chrono::duration<double> took{};
  for (bool is_open = true; is_open && took.count() < 30;) {
    is_open = stranger.send("{");
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    took = std::chrono::steady_clock::now() - began;
  }
  CHECK(took.count() > 9);
  CHECK(took.count() < 15);
}

TEST_CASE("TLS is the modern profile: version, suites, groups, no tickets and no early data") {
  const TestServer server;
  const std::string address = "127.0.0.1:" + std::to_string(server.port());
  const auto talk = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"timeout", "10", "openssl", "s_client", "-connect", address});
    return run(options, "GET / HTTP/1.1\r\n\r\n");
  };
  for (const std::string suite : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    INFO(suite);
    CHECK(says(talk({"-ciphersuites", suite}), "Cipher is " + suite));
  }
  for (const std::string suite : {"TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"}) {
    INFO(suite);
    const Finished refused = talk({"-ciphersuites", suite});
    CHECK(says(refused, "alert handshake failure"));
  }
  for (const std::string group : {"X25519", "P-256", "P-384"}) {
    INFO(group);
    CHECK(says(talk({"-groups", group}), "Cipher is TLS_"));
  }
  for (const std::string group : {"P-521", "X448", "ffdhe2048"}) {
    INFO(group);
    CHECK_FALSE(says(talk({"-groups", group}), "Cipher is TLS_"));
  }
  for (const std::string version : {"-tls1", "-tls1_1", "-tls1_2"}) {
    INFO(version);
    CHECK(says(talk({version, "-cipher", "ALL:@SECLEVEL=0"}), "alert protocol version"));
  }
  const Finished usual = talk({"-sess_out", server.path("session")});
  CHECK_FALSE(says(usual, "New Session Ticket"));
  CHECK(says(usual, "Early data was not sent"));
  CHECK_FALSE(fs::exists(server.path("session")));
}
