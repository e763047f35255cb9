// Codes over real connections: redeemed at once, guessed at, withdrawn.
#include <barrier>
#include <catch2/catch.hpp>
#include <regex>
#include <thread>

#include "support/raw_client.h"
#include "support/stranger.h"

using namespace fieldsync::testing;

namespace {

std::string code_in(const std::string& enrolment) { return enrolment.substr(enrolment.rfind(':') + 1); }

std::string enrol_request(const std::string& code) {
  const std::string body = R"({"protocol_version":1,"device_name":"A phone","code":")" + code + "\"}";
  return "POST /v1/enrol HTTP/1.1\r\nHost: office\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// With the request's own id taken out, which is all that may differ.
std::string without_id(const std::string& answer) {
  return std::regex_replace(answer, std::regex(R"("request_id":"[0-9a-f]+")"), R"("request_id":"")");
}

std::string answer_to(const TestServer& server, const std::string& code) {
  Stranger client(server.port());
  client.send(enrol_request(code));
  return client.answer();
}

std::string succeed(const Finished& finished) {
  INFO(finished.output);
  REQUIRE(finished.exit_code == 0);
  return finished.output;
}

}  // namespace

TEST_CASE("Of 50 connections that redeem one code at once, one succeeds and 49 read the same bytes") {
  const TestServer server;
  const std::string request = enrol_request(code_in(server.enrolment_text()));
  constexpr std::size_t count = 50;
  std::barrier all_but_the_last_byte(count);
  std::vector<std::string> answers(count);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      try {
        Stranger client(server.port());
        client.send(std::string_view(request).substr(0, request.size() - 1));
        all_but_the_last_byte.arrive_and_wait();
        client.send(std::string_view(request).substr(request.size() - 1));
        answers[i] = client.answer();
      } catch (const std::exception& error) {
        all_but_the_last_byte.arrive_and_drop();
        answers[i] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto succeeded = std::count_if(answers.begin(), answers.end(), [](const std::string& answer) {
    return answer.starts_with("HTTP/1.1 200") && answer.find("\"device\":") != std::string::npos;
  });
  CHECK(succeeded == 1);
  std::map<std::string, int> refusals;
  for (const std::string& answer : answers) {
    if (!answer.starts_with("HTTP/1.1 200")) ++refusals[without_id(answer)];
  }
  REQUIRE(refusals.size() == 1);
  CHECK(refusals.begin()->second == 49);
  INFO(refusals.begin()->first);
  CHECK(refusals.begin()->first.starts_with("HTTP/1.1 401"));
  CHECK(refusals.begin()->first.find("\"code\":\"enrolment_code_invalid\"") != std::string::npos);
  CHECK(refusals.begin()->first.find("\"request_id\":\"\"") != std::string::npos);
  const std::string devices = succeed(server.administer({"device", "list", "--json"}));
  CHECK(devices.find("\"name\":\"A phone\"") == devices.rfind("\"name\":\"A phone\""));
}

TEST_CASE("Wrong, used and withdrawn codes read the same, and five wrong tries lock a code with Retry-After") {
  const TestServer server;
  const std::string used = code_in(server.enrolment_text());
  REQUIRE(answer_to(server, used).starts_with("HTTP/1.1 200"));
  const std::string made = succeed(server.administer({"enrol-code", "Bakyt", "--json"}));
  const std::string withdrawn = code_in(json_value(made, "enrolment"));
  succeed(server.administer({"code", "withdraw", json_value(made, "id")}));
  std::string wrong = code_in(server.enrolment_text());
  const std::string right = wrong;
  wrong.back() = wrong.back() == '7' ? '8' : '7';
  const std::string refusal = without_id(answer_to(server, wrong));
  CHECK(refusal.starts_with("HTTP/1.1 401"));
  CHECK(without_id(answer_to(server, used)) == refusal);
  CHECK(without_id(answer_to(server, withdrawn)) == refusal);
  CHECK(without_id(answer_to(server, "ZZZZ0123456789ABC")) == refusal);
  for (int i = 0; i < 4; ++i) CHECK(without_id(answer_to(server, wrong)) == refusal);
  const std::string locked = without_id(answer_to(server, wrong));
  CHECK(locked.starts_with("HTTP/1.1 429"));
  CHECK(locked.find("\r\nRetry-After: 900\r\n") != std::string::npos);
  CHECK(locked.find("\"code\":\"too_many_attempts\"") != std::string::npos);
  CHECK(without_id(answer_to(server, right)) == locked);
  const std::string codes = succeed(server.administer({"code", "list", "--json"}));
  for (const char* state : {"used", "withdrawn", "locked"})
    CHECK(codes.find("\"state\":\"" + std::string(state) + "\"") != std::string::npos);
  for (const std::string& code : {used, withdrawn, right}) CHECK(codes.find(code.substr(4)) == std::string::npos);
}

TEST_CASE("Who guesses from one address is refused there for a while, and devices of the same address go on") {
  const TestServer server;
  server.enrol("phone");
  std::string last;
  for (int i = 0; i < 31; ++i) {
    std::string code = "AAAA0123456789ABC";
    code[1] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[i];
    last = answer_to(server, code);
    CHECK(last.starts_with(i < 30 ? "HTTP/1.1 401" : "HTTP/1.1 429"));
  }
  CHECK(answer_to(server, code_in(server.enrolment_text())).starts_with("HTTP/1.1 429"));
  succeed(server.app("phone", {"new", "visit", "summary=Cell 4."}));
  succeed(server.app("phone", {"sync"}));
}

TEST_CASE("A code in an address enrols nobody") {
  const TestServer server;
  const std::string code = code_in(server.enrolment_text());
  for (const std::string& target : {"/v1/enrol?code=" + code, "/v1/enrol/" + code}) {
    Stranger client(server.port());
    client.send("POST " + target +
                " HTTP/1.1\r\nHost: office\r\nContent-Type: application/json\r\nContent-Length: " + "2\r\n\r\n{}");
    CHECK(client.answer().starts_with("HTTP/1.1 404"));
  }
}

TEST_CASE("A QR code is printed and written beside the text, for its owner only") {
  const TestServer server;
  const std::string file = server.path("code.svg");
  const std::string text = succeed(server.administer({"enrol-code", "Bakyt", "--qr", "--svg", file}));
  CHECK(text.find("fieldsync enrol fieldsync:1:127.0.0.1:") != std::string::npos);
  CHECK(text.find("\x1b[97;40m\u2588\u2588\u2588\u2588") != std::string::npos);
  CHECK(content_of(file).starts_with("<svg "));
  CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

TEST_CASE("The coordinator and the device see the same fingerprint") {
  const TestServer server;
  server.enrol("phone");
  const std::string listed = succeed(server.administer({"device", "list"}));
  const std::string status = succeed(server.app("phone", {"status"}));
  const std::regex fingerprint(R"(([0-9a-f]{4} ){7}[0-9a-f]{4})");
  std::smatch at_office, on_device;
  INFO(listed << status);
  REQUIRE(std::regex_search(status, on_device, fingerprint));
  CHECK(listed.find(on_device.str()) != std::string::npos);
}

TEST_CASE("A code that was used cannot be withdrawn, and one that does not exist is named so") {
  const TestServer server;
  const std::string made = succeed(server.administer({"enrol-code", "Bakyt", "--json"}));
  REQUIRE(answer_to(server, code_in(json_value(made, "enrolment"))).starts_with("HTTP/1.1 200"));
  const Finished used = server.administer({"code", "withdraw", json_value(made, "id")});
  CHECK(used.exit_code == 1);
  CHECK(used.output.find("device revoke") != std::string::npos);
  CHECK(server.administer({"code", "withdraw", "NONE"}).output.find("[not_found]") != std::string::npos);
}
