#include "app/event_log.h"

#include <boost/json/parse.hpp>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <vector>

#include "app/logged_handlers.h"
#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;
using server::EventLog;

namespace {

struct Lines {
  explicit Lines(server::EventLogSettings settings = {})
      : log(
            settings, [this] { return now; },
            [this](server::LogLevel, const std::string& line) { lines.push_back(line); }) {}

  std::vector<std::string> lines;
  core::Instant now{1000};
  EventLog log;

  void request(std::string_view target, const core::DeviceId& device = {}) {
    log.request({"0123456789abcdef", target, device, "192.0.2.7", "ok", 200, 3, 10, 20});
  }
};

core::DeviceId device_number(std::uint8_t number) {
  core::DeviceId id;
  id.bytes.fill(number);
  return id;
}

}  // namespace

TEST_CASE("A request is one line of names and values, without where it came from") {
  Lines lines;
  lines.request("/v1/sync", device_number(0xAB));
  REQUIRE(lines.lines.size() == 1);
  CHECK(lines.lines[0] ==
        "event=request request=0123456789abcdef device=abababab route=/v1/sync outcome=ok status=200 ms=3 bytes_in=10 "
        "bytes_out=20");
}

TEST_CASE("Addresses are in the log where the operator switched them on") {
  Lines lines({server::LogFormat::text, true});
  lines.request("/v1/sync");
  CHECK(lines.lines[0].ends_with(" address=192.0.2.7"));
}

TEST_CASE("A line of JSON has the same names and values") {
  Lines lines({server::LogFormat::json, false});
  lines.request("/v1/enrol");
  lines.log.command("device \"revoke\"\n", "ok");
  for (const std::string& line : lines.lines) {
    CHECK(line.find('\n') == std::string::npos);
    const auto parsed = boost::json::parse("{" + line + "}");
    CHECK(parsed.as_object().contains("event"));
  }
  const auto request = boost::json::parse("{" + lines.lines[0] + "}").as_object();
  CHECK(request.at("route").as_string() == "/v1/enrol");
  CHECK(request.at("status").as_int64() == 200);
}

TEST_CASE("Of a target only which of ours it is comes into the log") {
  Lines lines;
  for (const char* target : {"/v1/sync?hand_in", "/v1/attachments/0123abc?offset=7", "/Айгуль?code=ABC", "/v1/syncX",
                             "/v1/sync?code=ABC", "\r\nevent=forged"}) {
    lines.request(target, device_number(static_cast<std::uint8_t>(lines.lines.size() + 1)));
  }
  const std::vector<std::string> routes{"/v1/sync", "/v1/attachments", "other", "other", "other", "other"};
  REQUIRE(lines.lines.size() == routes.size());
  for (std::size_t i = 0; i < routes.size(); ++i)
    CHECK(lines.lines[i].find(" route=" + routes[i] + " ") != std::string::npos);
}

TEST_CASE("What is not a plain word is quoted, and no line is two") {
  const auto line = [](std::string_view value) {
    return server::LogFields(server::LogFormat::text, "x").add("a", value).text();
  };
  CHECK(line("word") == "event=x a=word");
  CHECK(line("") == "event=x a=\"\"");
  CHECK(line("two words") == "event=x a=\"two words\"");
  CHECK(line("a=b") == "event=x a=\"a=b\"");
  CHECK(line("a\nb\x1b[0m\"\\\x7f\xc2\x9b") == R"(event=x a="a\x0ab\x1b[0m\x22\x5c\x7f\xc2\x9b")");
}

TEST_CASE("Of 10,000 bad requests of strangers ten lines a minute are written, and then how many more there were") {
  Lines lines;
  for (int i = 0; i < 10'000; ++i) lines.request("/v1/sync");
  CHECK(lines.lines.size() == 10);
  lines.now = lines.now + core::Milliseconds{60'000};
  lines.log.tell_left_out();
  REQUIRE(lines.lines.size() == 11);
  CHECK(lines.lines.back() == "event=left_out device=- lines=9990 seconds=60");
  lines.log.tell_left_out();
  CHECK(lines.lines.size() == 11);
  lines.request("/v1/sync");
  CHECK(lines.lines.size() == 12);
}

TEST_CASE("Strangers and one device do not take the lines of another") {
  Lines lines;
  for (int i = 0; i < 1000; ++i) {
    lines.request("/v1/sync");
    lines.request("/v1/sync", device_number(1));
  }
  CHECK(lines.lines.size() == 10 + 120);
  lines.request("/v1/sync", device_number(2));
  CHECK(lines.lines.size() == 10 + 120 + 1);
  // The next line of the device after its minute tells it too.
  lines.now = lines.now + core::Milliseconds{61'000};
  lines.request("/v1/sync", device_number(1));
  REQUIRE(lines.lines.size() == 10 + 120 + 3);
  CHECK(lines.lines[lines.lines.size() - 2] == "event=left_out device=01010101 lines=880 seconds=61");
  lines.log.stopped();
  CHECK(lines.lines[lines.lines.size() - 2] == "event=left_out device=- lines=990 seconds=61");
}

TEST_CASE("Of a failure its type is told, and not its text") {
  Lines lines;
  const std::runtime_error error("Айгуль said so");
  lines.log.request_failed("0123", device_number(1), server::type_of(error));
  REQUIRE(lines.lines.size() == 1);
  CHECK(lines.lines[0] ==
        "event=request_failed request=0123 device=01010101 outcome=internal_error type=std::runtime_error");
}

TEST_CASE("A request that fails inside is answered and logged without what the failure says") {
  class FailingStore final : public server::Store {
   public:
    Result<void> write(const std::function<Result<void>(server::WriteTransaction&)>&) override { return fail(); }
    Result<void> read(const std::function<Result<void>(server::ReadTransaction&)>&) override { return fail(); }

   private:
    static Result<void> fail() { throw std::logic_error("SELECT secret FROM table"); }
  };
  TestOffice office;
  FailingStore store;
  server::Router router(store, *office.service, *office.attachments, [&] { return office.now; });
  Lines lines;
  const auto handlers = server::logged_handlers(router, lines.log);
  server::Request request;
  request.method = "POST";
  request.target = "/v1/sync";
  request.content_type = "application/x-protobuf";
  request.id = "0123";
  request.peer_key = std::string(32, 'k');
  const auto reception = handlers.receive(request);
  REQUIRE(reception.refusal);
  CHECK(reception.refusal->status == 500);
  CHECK(reception.refusal->body.find("secret") == std::string::npos);
  REQUIRE(lines.lines.size() == 2);
  CHECK(lines.lines[0] == "event=request_failed request=0123 device=- outcome=internal_error type=std::logic_error");
  CHECK(lines.lines[1].find("outcome=internal_error status=500") != std::string::npos);
}
