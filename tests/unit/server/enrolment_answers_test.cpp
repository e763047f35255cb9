// What a stranger can learn of a code that does not enrol: nothing, by no byte and by no time.
#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include "app/event_log.h"
#include "app/logged_handlers.h"
#include "handlers/router.h"
#include "service/enrolment.h"
#include "support/whole_response.h"
#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

enum class Kind : std::uint8_t { wrong, no_such, used, expired, withdrawn };
constexpr Kind kinds[] = {Kind::wrong, Kind::no_such, Kind::used, Kind::expired, Kind::withdrawn};

struct Desk {
  TestOffice office;
  server::Router router{*office.store, *office.service, *office.attachments, [this] { return office.now; }};
  int asked = 0;

  // Another person's try each time, from an address of its own.
  server::Request request_with(const std::string& code) {
    v1::EnrolRequest message;
    message.set_protocol_version(1);
    message.set_code(code);
    message.set_device_name("A phone");
    server::Request request;
    request.method = "POST";
    request.target = "/v1/enrol";
    request.content_type = "application/x-protobuf";
    request.body = message.SerializeAsString();
    request.id = "0123456789abcdef";
    request.peer_key = std::string(28, 'k') + std::to_string(1000 + asked % 9000);
    request.peer_address = "address " + std::to_string(++asked);
    return request;
  }
  // As many of this kind as are asked for.
  std::vector<std::string> codes(Kind kind, std::size_t count) {
    std::vector<std::string> codes;
    REQUIRE(office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
      const core::Instant expires = office.now + core::Milliseconds{kind == Kind::expired ? -1 : 1'000'000};
      while (codes.size() < count) {
        std::string code = kind == Kind::no_such ? server::new_enrolment_code()
                                                 : server::add_enrolment_code(transaction, office.monitor, expires);
        const std::string id = code.substr(0, server::code_id_letters);
        if (kind == Kind::used) transaction.use_enrolment_code(id);
        if (kind == Kind::withdrawn) transaction.withdraw_enrolment_code(id);
        if (kind == Kind::wrong) code.back() = code.back() == 'A' ? 'B' : 'A';
        codes.push_back(std::move(code));
      }
      return {};
    }));
    return codes;
  }
};

struct Answer {
  int status;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  auto operator<=>(const Answer&) const = default;
};

}  // namespace

TEST_CASE("Codes that are wrong, unknown, used, expired or withdrawn get the same bytes, headers too") {
  Desk desk;
  std::set<Answer> answers;
  for (const Kind kind : kinds) {
    for (const std::string& code : desk.codes(kind, 3)) {
      const server::Response response = desk.router.handle(desk.request_with(code));
      CHECK(response.status == 401);
      answers.insert({response.status, response.content_type, response.body, response.headers});
    }
  }
  CHECK(answers.size() == 1);
}

namespace {

// Of one kind, in microseconds.
struct Times {
  double median = 0;
  double middle_half = 0;  // what the middle half of them spans: the noise
};

// One of each kind after the other, so that what disturbs the machine disturbs all.
std::vector<Times> times_of_refusals(std::size_t tries) {
  using Clock = std::chrono::steady_clock;
  Desk desk;
  std::map<Kind, std::vector<std::string>> codes;
  for (const Kind kind : kinds) codes[kind] = desk.codes(kind, tries);
  std::map<Kind, std::vector<double>> took;
  for (std::size_t i = 0; i < tries; ++i) {
    for (const Kind kind : kinds) {
      const server::Request request = desk.request_with(codes[kind][i]);
      const auto begin = Clock::now();
      const int status = desk.router.handle(request).status;
      took[kind].push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
      CHECK(status == 401);
    }
  }
  std::vector<Times> times;
  for (auto& [kind, all] : took) {
    std::sort(all.begin(), all.end());
    times.push_back({all[tries / 2], all[tries * 3 / 4] - all[tries / 4]});
  }
  return times;
}

}  // namespace

TEST_CASE("Codes that are wrong, unknown, used, expired or withdrawn are refused in the same time") {
  // A machine that is busy with something else may be uneven once; what differs does so each time.
  bool is_even = false;
  for (int attempt = 0; attempt < 3 && !is_even; ++attempt) {
    double slowest = 0, fastest = 1e12, noise = 0;
    for (const Times& times : times_of_refusals(1000)) {
      UNSCOPED_INFO("median " << times.median << " us, middle half " << times.middle_half << " us");
      slowest = std::max(slowest, times.median);
      fastest = std::min(fastest, times.median);
      noise = std::max(noise, times.middle_half);
    }
    is_even = slowest < 1.25 * fastest && slowest - fastest < noise;
  }
  CHECK(is_even);
}

TEST_CASE("10,000 bad requests of strangers write eleven lines") {
  Desk desk;
  std::vector<std::string> lines;
  core::Instant now{0};
  server::EventLog log(
      {}, [&] { return now; }, [&](server::LogLevel, const std::string& line) { lines.push_back(line); });
  const auto handlers = server::logged_handlers(desk.router, log);
  for (int i = 0; i < 10'000; ++i) {
    server::Request request = desk.request_with("ZZZZ0123456789ABC");
    if (i % 4 == 0) request.target = "/v1/sync";
    if (i % 4 == 1) request.target = "/\r\nevent=forged";
    if (i % 4 == 2) {
      CHECK(handlers.refuse({Errc::malformed_request, "\nforged"}, request).status == 400);
      continue;
    }
    const server::Reception reception = handlers.receive(request);
    CHECK(reception.refusal.has_value() == (i % 4 != 3));
    if (!reception.refusal) CHECK(handlers.handle(request).status >= 400);
  }
  now.ms += 60'000;
  log.tell_left_out();
  REQUIRE(lines.size() == 11);
  CHECK(lines.back() == "event=left_out device=- lines=9990 seconds=60");
  for (const std::string& line : lines) CHECK(line.find("forged") == std::string::npos);
}
