// Attachments over real TLS, from clients that are not ours, and what the operator is told of them.
#include <sodium.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/value.h"
#include "support/raw_client.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

std::string photo_bytes() {
  std::string bytes(300'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>((i * 2654435761U) >> 13);
  return bytes;
}

// A person's app names a photo, and syncs; another device of theirs sends it.
class PhotoClient : public RawClient {
 public:
  PhotoClient() {
    photo.kind = core::AttachmentKind::photo;
    photo.file.size = static_cast<std::uint32_t>(bytes.size());
    crypto_hash_sha256(photo.file.id.sha256.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    server.enrol("Bakyt");
    const auto app = server.open("Bakyt");
    auto editor = app->create("follow_up", app->scopes()->front().id);
    REQUIRE(editor);
    REQUIRE(editor->set("evidence_files", core::Value{photo}));
    REQUIRE(editor->save());
    REQUIRE(app->sync({}));
    enrol();
  }

  const std::string bytes = photo_bytes();
  core::Attachment photo;

  [[nodiscard]] std::string hash() const { return photo.file.id.hex(); }
  [[nodiscard]] std::string target() const { return "/v1/attachments/" + hash(); }

  // The answer and its status, as curl().
  [[nodiscard]] Finished put(std::size_t offset, const std::string& body, std::vector<std::string> more = {}) const {
    const std::string file = server.path("body");
    std::ofstream(file, std::ios::binary) << body;
    more.insert(more.end(), {"-X", "PUT", "-H", "Content-Type: application/octet-stream", "--data-binary", "@" + file});
    return curl(target() + "?offset=" + std::to_string(offset), more);
  }
  // What is durable, without changing it.
  [[nodiscard]] std::size_t durable() const {
    const Finished asked = put(core::attachment_bytes_max, "");
    INFO(asked.output);
    REQUIRE(asked.output.ends_with("200"));
    return asked.output.find("durable_offset") == std::string::npos
               ? 0
               : std::stoul(json_value(asked.output, "durable_offset"));
  }
  // The answer with its head; its body goes to a file, whose content is returned second.
  [[nodiscard]] std::pair<std::string, std::string> get(std::vector<std::string> arguments = {}) const {
    const std::string file = server.path("got");
    arguments.insert(arguments.end(), {"-D", "-", "-o", file});
    return {curl(target(), arguments).output, content_of(file)};
  }
  // The head of a PUT, for raw().
  [[nodiscard]] std::string put_head(std::size_t length, const std::string& more = {}) const {
    return "PUT " + target() + "?offset=0 HTTP/1.1\r\nHost: office\r\nContent-Type: application/octet-stream\r\n" +
           "Accept: application/json\r\nContent-Length: " + std::to_string(length) + "\r\n" + more + "\r\n";
  }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// Waits for what another process does.
template <typename Condition>
bool comes_true(Condition condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace

TEST_CASE("A photo is sent in two requests and read again, whole and in part") {
  const PhotoClient client;
  CHECK(has(client.server.administer({"status"}).output, "0 attachments held, 1 awaited"));
  const Finished first = client.put(0, client.bytes.substr(0, 100'000));
  CHECK(has(first.output, R"("durable_offset":100000)"));
  CHECK_FALSE(has(first.output, "complete"));
  CHECK(has(client.get().first, "404"));
  const Finished second = client.put(100'000, client.bytes.substr(100'000));
  CHECK(has(second.output, R"("durable_offset":300000,"complete":true)"));
  const auto [head, whole] = client.get();
  INFO(head);
  CHECK(whole == client.bytes);
  CHECK(has(head, "HTTP/1.1 200 OK\r\n"));
  CHECK(has(head, "Content-Length: 300000\r\n"));
  CHECK(has(head, "Content-Type: application/octet-stream\r\n"));
  CHECK(has(head, "Content-Disposition: attachment\r\n"));
  CHECK(has(head, "X-Content-Type-Options: nosniff\r\n"));
  CHECK(has(head, "Content-Security-Policy: sandbox; default-src 'none'\r\n"));
  CHECK(has(head, "Accept-Ranges: bytes\r\n"));
  const auto [part_head, part] = client.get({"-H", "Range: bytes=99999-200000"});
  INFO(part_head);
  CHECK(part == client.bytes.substr(99'999, 100'002));
  CHECK(has(part_head, "HTTP/1.1 206 Partial Content\r\n"));
  CHECK(has(part_head, "Content-Range: bytes 99999-200000/300000\r\n"));
  const auto [none_head, none] = client.get({"-H", "Range: bytes=300000-"});
  CHECK(has(none_head, "HTTP/1.1 416 "));
  CHECK(has(none_head, "Content-Range: bytes */300000\r\n"));
  CHECK(has(none, R"("code":"range_not_satisfiable")"));
  // Of several, or for a version that was never told: all of it.
  CHECK(client.get({"-H", "Range: bytes=0-1,5-6"}).second == client.bytes);
  CHECK(client.get({"-H", "Range: bytes=0-1", "-H", "Range: bytes=2-3"}).second == client.bytes);
  CHECK(client.get({"-H", "Range: bytes=0-1", "-H", "If-Range: \"x\""}).second == client.bytes);
}

TEST_CASE("What the operator is told of attachments: how many are held and awaited, and which are damaged") {
  const PhotoClient client;
  REQUIRE(has(client.put(0, client.bytes).output, "\"complete\":true"));
  const Finished status = client.server.administer({"status", "--json"});
  CHECK(json_value(status.output, "attachments_held") == "1");
  CHECK(json_value(status.output, "attachments_awaited") == "0");
  CHECK(client.server.administer({"check", "--json"}).output ==
        R"({"records":1,"operations":1,"open_conflicts":0,"quarantined":0,"attachments_held":1,)"
        R"("attachments_awaited":0,"ok":true})"
        "\n");
  const std::string file = client.server.path("server/attachments/" + client.hash());
  CHECK(content_of(file) == client.bytes);
  namespace fs = std::filesystem;
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(fs::status(client.server.path("server/attachments")).permissions() == fs::perms::owner_all);
  std::string damaged = client.bytes;
  damaged[1000] = static_cast<char>(damaged[1000] ^ 1);
  std::ofstream(file, std::ios::binary) << damaged;
  for (const bool is_gone : {false, true}) {
    if (is_gone) fs::remove(file);
    const Finished checked = client.server.administer({"check"});
    INFO(checked.output);
    CHECK(checked.exit_code == 1);
    CHECK(has(checked.output, client.hash() + "\n"));
    CHECK(has(checked.output, "[storage_corrupt]"));
    const Finished for_scripts = client.server.administer({"check", "--json"});
    INFO(for_scripts.output);
    CHECK(for_scripts.exit_code == 1);
    CHECK(for_scripts.output.starts_with(R"({"ok":false,"damaged":[")" + client.hash() + "\"]}\n"));
    CHECK(has(for_scripts.output, "[storage_corrupt]"));
  }
  // Devices send it again.
  CHECK(client.durable() == 0);
  CHECK(has(client.put(0, client.bytes).output, "\"complete\":true"));
  CHECK(client.server.administer({"check"}).exit_code == 0);
}

TEST_CASE("A PUT whose framing, size, kind or address is wrong is refused by its head") {
  const PhotoClient client;
  const auto check_raw = [&](const std::string& bytes, int status, const std::string& code) {
    const std::string answer = client.raw(bytes);
    INFO(answer);
    CHECK(has(answer, "HTTP/1.1 " + std::to_string(status)));
    CHECK(has(answer, "\"code\":\"" + code + "\""));
    CHECK(answer.find("HTTP/1.1 ") == answer.rfind("HTTP/1.1 "));
  };
  const std::string head = client.put_head(5);
  const auto with = [&](const std::string& old, const std::string& now) {
    std::string changed = head;
    return changed.replace(changed.find(old), old.size(), now);
  };
  check_raw(with("Content-Length: 5\r\n", ""), 411, "length_required");
  check_raw(with("Content-Length: 5", "Transfer-Encoding: chunked"), 411, "length_required");
  check_raw(with("Content-Length: 5", "Content-Length: 1048577"), 413, "request_too_large");
  check_raw(with("Content-Length: 5", "Content-Length: 99999999999"), 413, "request_too_large");
  check_raw(with("application/octet-stream", "image/jpeg"), 415, "unsupported_media_type");
  check_raw(with("PUT", "DELETE"), 405, "method_not_allowed");
  check_raw(with("PUT", "POST"), 405, "method_not_allowed");
  check_raw(with("?offset=0", ""), 400, "malformed_request");
  check_raw(with(client.hash(), "../../server.key"), 400, "malformed_request");
  check_raw(with(client.hash(), std::string(64, '0')), 404, "not_found");
  check_raw(with("Accept:", "Expect: a miracle\r\nAccept:"), 417, "expectation_failed");
  CHECK(client.durable() == 0);
}

TEST_CASE("Who asks whether to send the body is told so after the head was found good, and never before") {
  const PhotoClient client;
  const std::vector<std::string> asks{"-v", "-H", "Expect: 100-continue", "--expect100-timeout", "15"};
  const Finished good = client.put(0, client.bytes.substr(0, 1000), asks);
  INFO(good.output);
  CHECK(has(good.output, "HTTP/1.1 100 Continue"));
  CHECK(has(good.output, R"("durable_offset":1000)"));
  std::vector<std::string> other = asks;
  other.insert(other.end(), {"-X", "PUT", "-H", "Content-Type: application/octet-stream", "-d", "12345"});
  const Finished bad = client.curl("/v1/attachments/" + std::string(64, '0') + "?offset=0", other);
  INFO(bad.output);
  CHECK_FALSE(has(bad.output, "HTTP/1.1 100 Continue"));
  CHECK(bad.output.ends_with("404"));
}

TEST_CASE("A body that is cut is kept as far as it came, and the next request goes on there") {
  const PhotoClient client;
  std::size_t sent = 0;
  for (const std::size_t part : {1U, 20'000U, 150'000U}) {
    std::string head = client.put_head(client.bytes.size() - sent);
    const std::string at = "?offset=" + std::to_string(sent);
    head.replace(head.find("?offset=0"), 9, at);
    // Without -quiet s_client closes at the end of its input.
    static_cast<void>(
        run({"timeout", "20", "openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(client.server.port()),
             "-cert", client.certificate(), "-key", client.key()},
            head + client.bytes.substr(sent, part)));
    sent += part;
    INFO("after " << sent << " bytes");
    CHECK(comes_true([&] { return client.durable() == sent; }));
  }
  CHECK(has(client.put(sent, client.bytes.substr(sent)).output, "\"complete\":true"));
  CHECK(client.get().second == client.bytes);
}

TEST_CASE("A server that is killed while a slow body comes in has lost a second of it at most") {
  PhotoClient client;
  const std::string input = client.server.path("input");
  std::ofstream(input, std::ios::binary) << client.put_head(client.bytes.size()) << client.bytes;
  // A first part, then 2 kB every tenth of a second, until nobody reads them.
  const std::string script =
      "(dd bs=50000 count=1 2>/dev/null; while dd bs=2000 count=1 2>/dev/null; do sleep 0.1; done) <" + input +
      " | openssl s_client -quiet -connect 127.0.0.1:" + std::to_string(client.server.port()) + " -cert " +
      client.certificate() + " -key " + client.key();
  Process slow({"timeout", "60", "sh", "-c", script}, client.server.path("slow.log"));
  CHECK(comes_true([&] { return client.durable() > 60'000; }));
  client.server.kill();
  client.server.start();
  const std::size_t durable = client.durable();
  CHECK(durable > 60'000);
  CHECK(durable < client.bytes.size());
  CHECK(has(client.put(durable, client.bytes.substr(durable)).output, "\"complete\":true"));
  CHECK(client.get().second == client.bytes);
}

TEST_CASE("A connection carries one request after the other, whatever their kind") {
  const PhotoClient client;
  const std::string first = client.put_head(1000) + client.bytes.substr(0, 1000);
  std::string second = client.put_head(client.bytes.size() - 1000) + client.bytes.substr(1000);
  second.replace(second.find("?offset=0"), 9, "?offset=1000");
  const std::string get =
      "GET " + client.target() + " HTTP/1.1\r\nHost: office\r\nRange: bytes=0-9\r\n" + "Connection: close\r\n\r\n";
  const std::string answers = client.raw(first + second + get);
  INFO(answers);
  CHECK(has(answers, R"("durable_offset":1000)"));
  CHECK(has(answers, R"("durable_offset":300000,"complete":true)"));
  CHECK(has(answers, "HTTP/1.1 206 Partial Content"));
  CHECK(answers.ends_with("\r\n\r\n" + client.bytes.substr(0, 10)));
}
