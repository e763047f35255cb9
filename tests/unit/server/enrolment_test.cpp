#include "service/enrolment.h"

#include <atomic>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

std::string make_code(TestOffice& office, const core::PersonId& person, core::Instant expires) {
  std::string code;
  REQUIRE(office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    code = server::add_enrolment_code(transaction, person, expires);
    return {};
  }));
  return code;
}

std::string make_code(TestOffice& office, core::Instant expires) { return make_code(office, office.monitor, expires); }

v1::EnrolRequest request_with(const std::string& code) {
  v1::EnrolRequest request;
  request.set_protocol_version(1);
  request.set_code(code);
  request.set_device_name("Айданын телефону");
  return request;
}

Result<v1::EnrolReply> enrol(TestOffice& office, const v1::EnrolRequest& request, const std::string& public_key) {
  return server::Enrolment(*office.store, office.service->audit_log(), [&] { return office.now; })
      .enrol(request, public_key, "192.0.2.1");
}

std::size_t device_count(TestOffice& office) {
  std::size_t count = 0;
  REQUIRE(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
    count = transaction.devices().size();
    return {};
  }));
  return count;
}

struct FileOffice : TestOffice {
  // Of the whole database.
  std::string content() {
    close();
    std::ostringstream content;
    content << std::ifstream(file(), std::ios::binary).rdbuf();
    open();
    return content.str();
  }
};

// For every other device.
void check_used_up(TestOffice& office, const std::string& code) {
  const auto other = enrol(office, request_with(code), TestDevice().public_key);
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::enrolment_code_invalid);
}

}  // namespace

TEST_CASE("Of 50 devices that redeem one code at once, one succeeds and 49 hear the same") {
  TestOffice office;
  const std::string code = make_code(office, office.now + core::Milliseconds{1000});
  server::Enrolment enrolment(*office.store, office.service->audit_log(), [&] { return office.now; });
  std::vector<TestDevice> devices(50);
  std::vector<std::string> answers(devices.size());
  std::atomic<bool> go = false;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    threads.emplace_back([&, i] {
      go.wait(false);
      const auto reply = enrolment.enrol(request_with(code), devices[i].public_key, "192.0.2.1");
      answers[i] = reply ? "enrolled" : std::string(describe(reply.error().code).name) + ": " + reply.error().message();
    });
  }
  go = true;
  go.notify_all();
  for (std::thread& thread : threads) thread.join();
  CHECK(std::count(answers.begin(), answers.end(), "enrolled") == 1);
  const std::string refusal = "enrolment_code_invalid: " + std::string(describe(Errc::enrolment_code_invalid).sentence);
  CHECK(std::count(answers.begin(), answers.end(), refusal) == 49);
  CHECK(device_count(office) == 1);
}

namespace {

std::string verdict_on(TestOffice& office, const std::string& code) {
  const auto reply = enrol(office, request_with(code), TestDevice().public_key);
  if (reply) return "enrolled";
  check_sentence(reply.error().message());
  return std::string(describe(reply.error().code).name);
}

void withdraw(TestOffice& office, const std::string& code) {
  REQUIRE(office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    transaction.withdraw_enrolment_code(server::read_enrolment_code(code)->id);
    return {};
  }));
}

// Another secret under the same name.
std::string wrong_secret(std::string code) {
  code.back() = code.back() == 'A' ? 'B' : 'A';
  return code;
}

}  // namespace

TEST_CASE("Wrong, used, expired and withdrawn codes get the same answer") {
  TestOffice office;
  const std::string used = make_code(office, office.now + core::Milliseconds{1000});
  REQUIRE(enrol(office, request_with(used), TestDevice().public_key));
  const std::string expired = make_code(office, {office.now.ms - 1});
  const std::string withdrawn = make_code(office, office.now + core::Milliseconds{1000});
  withdraw(office, withdrawn);
  const std::string of_another = wrong_secret(make_code(office, office.now + core::Milliseconds{1000}));
  for (const std::string& code : {used, expired, withdrawn, of_another, server::new_enrolment_code()}) {
    const auto reply = enrol(office, request_with(code), TestDevice().public_key);
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == Errc::enrolment_code_invalid);
    CHECK(reply.error().message() == describe(Errc::enrolment_code_invalid).sentence);
  }
  CHECK(device_count(office) == 1);
}

TEST_CASE("What has not the length or the letters of a code is told so") {
  TestOffice office;
  for (const std::string& text : {std::string(), std::string("short"), std::string(13, 'A'), std::string(16, 'A'),
                                  std::string(18, 'A'), std::string(17, 'U')}) {
    const auto reply = enrol(office, request_with(text), TestDevice().public_key);
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == Errc::malformed_request);
    CHECK(reply.error().message().find("17 letters") != std::string::npos);
  }
}

TEST_CASE("Five wrong tries lock a code for good, and no other") {
  TestOffice office;
  const std::string code = make_code(office, office.now + core::Milliseconds{1'000'000'000});
  const std::string other = make_code(office, office.now + core::Milliseconds{1'000'000'000});
  for (int i = 0; i < 5; ++i) CHECK(verdict_on(office, wrong_secret(code)) == "enrolment_code_invalid");
  CHECK(verdict_on(office, wrong_secret(code)) == "too_many_attempts");
  CHECK(verdict_on(office, code) == "too_many_attempts");
  office.now = office.now + core::Milliseconds{900'000'000};
  office.keep_copy();  // starts it anew
  CHECK(verdict_on(office, code) == "too_many_attempts");
  CHECK(verdict_on(office, other) == "enrolled");
}

TEST_CASE("A code that does not exist is locked like one that does") {
  TestOffice office;
  const std::string code = server::new_enrolment_code();
  for (int i = 0; i < 5; ++i) CHECK(verdict_on(office, code) == "enrolment_code_invalid");
  CHECK(verdict_on(office, code) == "too_many_attempts");
}

TEST_CASE("Where every name was guessed at, a code is made all the same, and is good") {
  TestOffice office;
  REQUIRE(office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    const std::string letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (const char a : letters)
      for (const char b : letters)
        for (const char c : letters)
          for (const char d : letters) transaction.add_wrong_tries(std::string{a, b, c, d}, 5);
    return {};
  }));
  CHECK(verdict_on(office, make_code(office, office.now)) == "enrolled");
}

TEST_CASE("Four wrong tries leave a code good") {
  TestOffice office;
  const std::string code = make_code(office, office.now);
  for (int i = 0; i < 4; ++i) CHECK(verdict_on(office, wrong_secret(code)) == "enrolment_code_invalid");
  CHECK(verdict_on(office, code) == "enrolled");
}

TEST_CASE("A device whose answer was lost hears it again, also where its used code was guessed at") {
  TestOffice office;
  const TestDevice device;
  const std::string code = make_code(office, office.now);
  REQUIRE(enrol(office, request_with(code), device.public_key));
  for (int i = 0; i < 6; ++i) static_cast<void>(verdict_on(office, wrong_secret(code)));
  CHECK(verdict_on(office, code) == "too_many_attempts");
  CHECK(enrol(office, request_with(code), device.public_key));
}

TEST_CASE("Thirty wrong codes from one address end its tries for 15 minutes, and no other address's") {
  TestOffice office;
  server::Enrolment enrolment(*office.store, office.service->audit_log(), [&] { return office.now; });
  const auto from = [&](const char* address, const std::string& code) {
    const auto reply = enrolment.enrol(request_with(code), TestDevice().public_key, address);
    return reply ? std::string_view("enrolled") : describe(reply.error().code).name;
  };
  const std::string used = make_code(office, office.now);
  REQUIRE(from("192.0.2.1", used) == "enrolled");
  // Who has the whole code does not guess.
  for (int i = 0; i < 40; ++i) CHECK(from("192.0.2.1", used) == "enrolment_code_invalid");
  for (int i = 0; i < 30; ++i) {
    CHECK(from("192.0.2.1", server::new_enrolment_code()) == "enrolment_code_invalid");
    office.now = office.now + core::Milliseconds{1000};
  }
  const std::string code = make_code(office, office.now + core::Milliseconds{10'000'000});
  CHECK(from("192.0.2.1", server::new_enrolment_code()) == "too_many_attempts");
  CHECK(from("192.0.2.1", code) == "too_many_attempts");
  CHECK(from("192.0.2.2", server::new_enrolment_code()) == "enrolment_code_invalid");
  // The first of the thirty is 15 minutes old: one more may be tried.
  office.now = office.now + core::Milliseconds{15 * 60'000 - 30'000};
  CHECK(from("192.0.2.1", server::new_enrolment_code()) == "enrolment_code_invalid");
  CHECK(from("192.0.2.1", code) == "too_many_attempts");
  office.now = office.now + core::Milliseconds{1000};
  CHECK(from("192.0.2.1", code) == "enrolled");
}

TEST_CASE("Of 10,000 codes none comes twice, and each letter comes as often as any other") {
  std::set<std::string> codes;
  std::map<char, int> letters;
  for (int i = 0; i < 10'000; ++i) {
    const std::string code = server::new_enrolment_code();
    CHECK(codes.insert(code).second);
    for (const char letter : code) ++letters[letter];
  }
  REQUIRE(letters.size() == 32);
  const double expected = 10'000.0 * server::code_letters / 32;
  double chi_square = 0;
  for (const auto& [letter, count] : letters) chi_square += (count - expected) * (count - expected) / expected;
  // With 31 degrees of freedom: above it, and below the other, one time in a million.
  CHECK(chi_square < 84);
  CHECK(chi_square > 6);
}

TEST_CASE("The database holds the name of a code and not its secret") {
  FileOffice office;
  const std::string code = make_code(office, office.now);
  const std::string file = office.content();
  CHECK(file.find(code.substr(server::code_id_letters)) == std::string::npos);
  CHECK(file.find(code.substr(0, server::code_id_letters)) != std::string::npos);
}

TEST_CASE("A code is read as people write it") {
  const auto hash = [](std::string_view typed) {
    const auto read = server::read_enrolment_code(typed);
    return read ? std::optional(read->hash) : std::nullopt;
  };
  const std::string code = "0123456789ABCDEFG";
  CHECK(hash("o1 23-456789abc defg") == hash(code));
  CHECK(hash("OI23456789ABCDEFG") == hash(code));
  CHECK(hash("0123456789ABCDEFU") == std::nullopt);
  CHECK(server::read_enrolment_code("o123456789ABCDEFG")->id == "0123");
}

TEST_CASE(
    "A device that lost the answer to its enrolment is answered for a new code of its person too, which is used up") {
  TestOffice office;
  const TestDevice device;
  const auto first = enrol(office, request_with(make_code(office, office.now)), device.public_key);
  REQUIRE(first);
  const std::string code = make_code(office, office.now);
  for (int i = 0; i < 2; ++i) {
    const auto again = enrol(office, request_with(code), device.public_key);
    REQUIRE(again);
    CHECK(again->SerializeAsString() == first->SerializeAsString());
  }
  CHECK(device_count(office) == 1);
  check_used_up(office, code);
}

TEST_CASE("An expired code does not answer a device that is enrolled") {
  TestOffice office;
  const TestDevice known = office.add_device();
  const std::string code = make_code(office, {office.now.ms - 1});
  const auto reply = enrol(office, request_with(code), known.public_key);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Errc::enrolment_code_invalid);
}

TEST_CASE("A device does not become another person's, and the code stays good for another device") {
  TestOffice office;
  const TestDevice known = office.add_device();
  const core::PersonId person = office.add_person(server::Role::monitor, office.scope);
  const std::string code = make_code(office, person, office.now);
  const auto reply = enrol(office, request_with(code), known.public_key);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Errc::device_already_enrolled);
  const auto own = enrol(office, request_with(make_code(office, office.now)), known.public_key);
  REQUIRE(own);
  CHECK(own->person().id() == office.monitor.view());
  const auto other = enrol(office, request_with(code), TestDevice().public_key);
  REQUIRE(other);
  CHECK(other->person().id() == person.view());
}

TEST_CASE("A revoked device stays so whatever the code, which stays good for another") {
  TestOffice office;
  const TestDevice revoked = office.add_device();
  office.revoke(revoked);
  const std::string code = make_code(office, office.now);
  const auto reply = enrol(office, request_with(code), revoked.public_key);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Errc::device_revoked);
  office.refuses(revoked, revoked.request(), Errc::device_revoked);
  CHECK(enrol(office, request_with(code), TestDevice().public_key));
}

TEST_CASE("A device that lost the answer to its enrolment hears it again, and nobody else does") {
  TestOffice office;
  const std::string code = make_code(office, office.now);
  const TestDevice device;
  const auto first = enrol(office, request_with(code), device.public_key);
  REQUIRE(first);
  office.now = office.now + core::Milliseconds{1};  // the code is expired by now
  const auto again = enrol(office, request_with(code), device.public_key);
  REQUIRE(again);
  CHECK(again->SerializeAsString() == first->SerializeAsString());
  CHECK(device_count(office) == 1);
  check_used_up(office, code);
  office.revoke(device);
  const auto revoked = enrol(office, request_with(code), device.public_key);
  REQUIRE_FALSE(revoked);
  CHECK(revoked.error().code == Errc::enrolment_code_invalid);
}

TEST_CASE("A code that another device of the person used enrols nobody a second time") {
  TestOffice office;
  const std::string code = make_code(office, office.now);
  TestDevice revoked = office.add_device();
  REQUIRE(enrol(office, request_with(code), TestDevice().public_key));
  office.revoke(revoked);
  const auto reply = enrol(office, request_with(code), revoked.public_key);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Errc::enrolment_code_invalid);
}
