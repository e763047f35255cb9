// What the server says to clients that are not ours, over real TLS: with curl, or
// byte by byte through `openssl s_client`.
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <future>
#include <thread>

#include "support/loopback.h"
#include "support/raw_client.h"
#include "support/settings.h"

using namespace fieldsync::testing;

namespace {

// `code` in a problem with this status; nothing but the answer to one request.
void check_refusal(const std::string& answer, int status, const std::string& code) {
  INFO(answer);
  CHECK(answer.find("HTTP/1.1 " + std::to_string(status)) != std::string::npos);
  CHECK(answer.find("\"code\":\"" + code + "\"") != std::string::npos);
  CHECK(answer.find("HTTP/1.1 ") == answer.rfind("HTTP/1.1 "));
}

void check_curl(const Finished& answer, int status, const std::string& code) {
  INFO(answer.output);
  CHECK(answer.output.ends_with(std::to_string(status)));
  CHECK(answer.output.find("\"code\":\"" + code + "\"") != std::string::npos);
}

class SilentConnection {
 public:
  explicit SilentConnection(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_in address = loopback(port);
    REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~SilentConnection() { ::close(socket_); }
  SilentConnection(const SilentConnection&) = delete;
  SilentConnection& operator=(const SilentConnection&) = delete;

 private:
  int socket_;
};

const std::vector<std::string> json_sync{"-H", "Content-Type: application/json", "-d", R"({"protocol_version":1})"};
const std::string post =
    "POST /v1/sync HTTP/1.1\r\nHost: office\r\nContent-Type: application/json\r\nAccept: application/json\r\n";

}  // namespace

TEST_CASE("Without a certificate, or with one that is not enrolled, there is no sync") {
  const RawClient client;
  check_curl(client.curl("/v1/sync", json_sync, false), 401, "unknown_device");
  check_curl(client.curl("/v1/sync", json_sync), 401, "unknown_device");
}

TEST_CASE("An enrolled device syncs in JSON and can read the answer") {
  const RawClient client;
  client.enrol();
  const Finished answer = client.curl("/v1/sync", json_sync);
  INFO(answer.output.substr(answer.output.size() > 300 ? answer.output.size() - 300 : 0));
  CHECK(answer.output.ends_with("200"));
  CHECK(answer.output.find("\"name\":\"Osh region\"") != std::string::npos);
  CHECK(answer.output.find("\"server_time_ms\":") != std::string::npos);
}

TEST_CASE("Other addresses, methods and kinds of body are refused") {
  const RawClient client;
  client.enrol();
  check_curl(client.curl("/v1/other", json_sync), 404, "unknown_endpoint");
  check_curl(client.curl("/", json_sync), 404, "unknown_endpoint");
  check_curl(client.curl("/v1/sync", {}), 405, "method_not_allowed");
  check_curl(client.curl("/v1/sync", {"-H", "Content-Type: text/plain", "-d", "{}"}), 415, "unsupported_media_type");
  check_curl(
      client.curl("/v1/sync", {"-H", "Content-Type: application/json", "-H", "Content-Encoding: gzip", "-d", "{}"}),
      415, "unsupported_encoding");
  check_curl(client.curl("/v1/sync", {"-H", "Content-Type: application/json", "-d", "{\"protocol_version\":"}), 400,
             "malformed_request");
  check_curl(client.curl("/v1/sync", {"-H", "Content-Type: application/json", "-d", "{}"}), 400,
             "unsupported_protocol_version");
}

TEST_CASE("A body of more than 2 MiB is refused by its length, before it is sent") {
  const RawClient client;
  client.enrol();
  check_refusal(client.raw(post + "Content-Length: 2097153\r\n\r\n"), 413, "request_too_large");
  const std::string file = client.server.path("large");
  std::ofstream(file) << std::string(3'000'000, ' ');
  const Finished answer =
      client.curl("/v1/sync", {"-H", "Content-Type: application/json", "-H", "Expect:", "--data-binary", "@" + file});
  INFO(answer.output);
  // Whoever sends it all the same may find the connection reset.
  CHECK((answer.output.ends_with("413") || answer.exit_code != 0));
}

TEST_CASE("Transfer-Encoding is refused and the connection closed") {
  const RawClient client;
  client.enrol();
  const std::string next = post + "Content-Length: 2\r\n\r\n{}";
  check_refusal(client.raw(post + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + next), 411,
                "length_required");
  const std::string both =
      client.raw(post + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + next);
  INFO(both);
  CHECK(both.find("HTTP/1.1 4") != std::string::npos);
  CHECK(both.find("HTTP/1.1 ") == both.rfind("HTTP/1.1 "));
}

TEST_CASE("A request needs exactly one Content-Length") {
  const RawClient client;
  client.enrol();
  check_refusal(client.raw(post + "\r\n"), 411, "length_required");
  check_refusal(client.raw(post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"), 400, "malformed_request");
  check_refusal(client.raw(post + "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}"), 400, "malformed_request");
  check_refusal(client.raw(post + "Content-Length: -1\r\n\r\n{}"), 400, "malformed_request");
}

TEST_CASE("What is not HTTP is refused, and a header that does not end") {
  const RawClient client;
  check_refusal(client.raw("nonsense\r\n\r\n"), 400, "malformed_request");
  check_refusal(client.raw(post + "X: " + std::string(9'000, 'a') + "\r\n\r\n"), 431, "header_too_large");
}

TEST_CASE("A body that is cut short changes nothing, and the server goes on") {
  const RawClient client;
  client.enrol();
  // Without -quiet s_client closes at the end of its input.
  const Finished cut =
      run({"timeout", "20", "openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(client.server.port()),
           "-cert", client.certificate(), "-key", client.key()},
          post + "Content-Length: 500\r\n\r\n{\"protocol_version\":1");
  CHECK(cut.output.find("HTTP/1.1 200") == std::string::npos);
  CHECK(client.curl("/v1/sync", json_sync).output.ends_with("200"));
}

TEST_CASE("A connection that has served a request waits no longer than the first time for a header that has begun") {
  const RawClient client;
  client.enrol();
  write_to(client.server.path("request"), post + "Content-Length: 22\r\n\r\n{\"protocol_version\":1}");
  // First nothing, as an idle connection; then a line of the next header each second, for longer than a header may
  // take, and less than a connection may idle.
  const std::string script =
      "{ cat '" + client.server.path("request") +
      "'; sleep 2; printf 'GET /after HTTP/1.1\\r\\n'; for i in $(seq 40); do sleep 1; "
      "printf 'X-%s: 1\\r\\n' $i || exit; done; } | timeout 60 openssl s_client -quiet -connect 127.0.0.1:" +
      std::to_string(client.server.port()) + " -cert " + client.certificate() + " -key " + client.key() + " 2>&1";
  const auto began = std::chrono::steady_clock::now();
  const Finished done = run({"timeout", "60", "bash", "-c", script + "; kill $(jobs -p) 2>/dev/null"});
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  INFO(done.output.substr(0, 500));
  CHECK(done.output.find("HTTP/1.1 200") != std::string::npos);
  CHECK(done.output.find("HTTP/1.1 408") != std::string::npos);
  CHECK(took.count() > 9);
  CHECK(took.count() < 20);
}

TEST_CASE("What does not come in time is answered with that and the connection closed, and silence with nothing") {
  const RawClient client;
  client.enrol();
  const auto answer_to = [&](const std::string& bytes) {
    return std::async(std::launch::async, [&client, bytes] { return client.raw(bytes); });
  };
  const auto began = std::chrono::steady_clock::now();
  auto header = answer_to("POST /v1/sync HTTP/1.1\r\nHost: off");
  auto body = answer_to(post + "Content-Length: 22\r\n\r\n{\"protocol_version\"");
  auto silence = answer_to("");
  check_refusal(header.get(), 408, "timeout");
  check_refusal(body.get(), 408, "timeout");
  CHECK(silence.get().find("HTTP/") == std::string::npos);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  CHECK(took.count() > 9);
  CHECK(took.count() < 15);
}

TEST_CASE("One address takes no more connections than it may, and gets them back") {
  RawClient client;
  client.enrol();
  restart_with(client.server, "connections_per_address_max", "2");
  const auto verdict = [&] { return client.curl("/v1/sync", json_sync).output; };
  {
    // They say nothing: the server waits for their handshake.
    const SilentConnection one(client.server.port());
    const SilentConnection two(client.server.port());
    CHECK(verdict().ends_with("000"));
  }
  std::string again;
  for (int i = 0; i < 100 && !again.ends_with("200"); ++i) {
    again = verdict();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(again.ends_with("200"));
}

TEST_CASE("TLS 1.2 is refused") {
  const RawClient client;
  const Finished answer = client.curl("/v1/sync", {"--tls-max", "1.2", "-d", "{}"});
  INFO(answer.output);
  CHECK(answer.exit_code != 0);
  CHECK(answer.output.ends_with("000"));
}

TEST_CASE("An app does not speak to a server with another key, and loses nothing") {
  TestServer server;
  server.enrol("Bakyt");
  REQUIRE(server.app("Bakyt", {"new", "facility", "names=en:Osh"}).exit_code == 0);
  const TestServer impostor;
  server.kill();
  // The impostor's key answers at the address that the store knows.
  const Finished copied =
      run({"cp", impostor.path("server/server.key"), impostor.path("server/server.crt"), server.path("server")});
  REQUIRE(copied.exit_code == 0);
  server.start();
  const Finished synced = server.app("Bakyt", {"sync"});
  INFO(synced.output);
  CHECK(synced.exit_code == 1);
  CHECK(synced.output.find("[server_untrusted]") != std::string::npos);
  CHECK(json_value(server.app("Bakyt", {"--json", "status"}).output, "saved_here") == "1");
}
