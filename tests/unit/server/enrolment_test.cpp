#include "service/enrolment.h"

#include <atomic>
#include <thread>

#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

std::string make_code(TestOffice& office, const core::PersonId& person, core::Instant expires) {
  const std::string code = server::new_enrolment_code();
  REQUIRE(office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    transaction.add_enrolment_code(*server::hash_enrolment_code(code), {person, expires, false});
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

std::size_t device_count(TestOffice& office) {
  std::size_t count = 0;
  REQUIRE(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
    count = transaction.devices().size();
    return {};
  }));
  return count;
}

// For every other device.
void check_used_up(TestOffice& office, const std::string& code) {
  const auto other = server::enrol(*office.store, office.service->audit_log(), request_with(code),
                                   TestDevice().public_key, [&] { return office.now; });
  REQUIRE_FALSE(other);
  CHECK(other.error().code == Errc::enrolment_code_invalid);
}

}  // namespace

TEST_CASE("Of 50 devices that redeem one code at once, one succeeds and 49 hear the same") {
  TestOffice office;
  const std::string code = make_code(office, office.now + core::Milliseconds{1000});
  const server::Clock clock = [&] { return office.now; };
  std::vector<TestDevice> devices(50);
  std::vector<std::string> answers(devices.size());
  std::atomic<bool> go = false;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    threads.emplace_back([&, i] {
      go.wait(false);
      const auto reply =
          server::enrol(*office.store, office.service->audit_log(), request_with(code), devices[i].public_key, clock);
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

TEST_CASE("Wrong, used and expired codes get the same answer") {
  TestOffice office;
  const server::Clock clock = [&] { return office.now; };
  const std::string used = make_code(office, office.now + core::Milliseconds{1000});
  REQUIRE(
      server::enrol(*office.store, office.service->audit_log(), request_with(used), TestDevice().public_key, clock));
  const std::string expired = make_code(office, {office.now.ms - 1});
  for (const std::string& code : {used, expired, server::new_enrolment_code(), std::string("short"), std::string()}) {
    const auto reply =
        server::enrol(*office.store, office.service->audit_log(), request_with(code), TestDevice().public_key, clock);
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == Errc::enrolment_code_invalid);
    CHECK(reply.error().message() == describe(Errc::enrolment_code_invalid).sentence);
  }
  CHECK(device_count(office) == 1);
}

TEST_CASE("A code is read as people write it") {
  const std::string code = "0123456789ABC";
  CHECK(server::hash_enrolment_code("o1 23-456789abc") == server::hash_enrolment_code(code));
  CHECK(server::hash_enrolment_code("OI23456789ABC") == server::hash_enrolment_code(code));
  CHECK(server::hash_enrolment_code("0123456789ABU") == std::nullopt);
}

TEST_CASE(
    "A device that lost the answer to its enrolment is answered for a new code of its person too, which is used up") {
  TestOffice office;
  const server::Clock clock = [&] { return office.now; };
  const TestDevice device;
  const auto first = server::enrol(*office.store, office.service->audit_log(),
                                   request_with(make_code(office, office.now)), device.public_key, clock);
  REQUIRE(first);
  const std::string code = make_code(office, office.now);
  for (int i = 0; i < 2; ++i) {
    const auto again =
        server::enrol(*office.store, office.service->audit_log(), request_with(code), device.public_key, clock);
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
  const auto reply = server::enrol(*office.store, office.service->audit_log(), request_with(code), known.public_key,
                                   [&] { return office.now; });
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Errc::enrolment_code_invalid);
}

TEST_CASE("A device does not become another person's, and the code stays good for another device") {
  TestOffice office;
  const server::Clock clock = [&] { return office.now; };
  const TestDevice known = office.add_device();
  const core::PersonId person = office.add_person(server::Role::monitor, office.scope);
  const std::string code = make_code(office, person, office.now);
  const auto reply =
      server::enrol(*office.store, office.service->audit_log(), request_with(code), known.public_key, clock);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Errc::device_already_enrolled);
  const auto own = server::enrol(*office.store, office.service->audit_log(),
                                 request_with(make_code(office, office.now)), known.public_key, clock);
  REQUIRE(own);
  CHECK(own->person().id() == office.monitor.view());
  const auto other =
      server::enrol(*office.store, office.service->audit_log(), request_with(code), TestDevice().public_key, clock);
  REQUIRE(other);
  CHECK(other->person().id() == person.view());
}

TEST_CASE("A revoked device stays so whatever the code, which stays good for another") {
  TestOffice office;
  const server::Clock clock = [&] { return office.now; };
  const TestDevice revoked = office.add_device();
  office.revoke(revoked);
  const std::string code = make_code(office, office.now);
  const auto reply =
      server::enrol(*office.store, office.service->audit_log(), request_with(code), revoked.public_key, clock);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Errc::device_revoked);
  office.refuses(revoked, revoked.request(), Errc::device_revoked);
  CHECK(server::enrol(*office.store, office.service->audit_log(), request_with(code), TestDevice().public_key, clock));
}

TEST_CASE("A device that lost the answer to its enrolment hears it again, and nobody else does") {
  TestOffice office;
  const server::Clock clock = [&] { return office.now; };
  const std::string code = make_code(office, office.now);
  const TestDevice device;
  const auto first =
      server::enrol(*office.store, office.service->audit_log(), request_with(code), device.public_key, clock);
  REQUIRE(first);
  office.now = office.now + core::Milliseconds{1};  // the code is expired by now
  const auto again =
      server::enrol(*office.store, office.service->audit_log(), request_with(code), device.public_key, clock);
  REQUIRE(again);
  CHECK(again->SerializeAsString() == first->SerializeAsString());
  CHECK(device_count(office) == 1);
  check_used_up(office, code);
  office.revoke(device);
  const auto revoked =
      server::enrol(*office.store, office.service->audit_log(), request_with(code), device.public_key, clock);
  REQUIRE_FALSE(revoked);
  CHECK(revoked.error().code == Errc::enrolment_code_invalid);
}

TEST_CASE("A code that another device of the person used enrols nobody a second time") {
  TestOffice office;
  const server::Clock clock = [&] { return office.now; };
  const std::string code = make_code(office, office.now);
  TestDevice revoked = office.add_device();
  REQUIRE(
      server::enrol(*office.store, office.service->audit_log(), request_with(code), TestDevice().public_key, clock));
  office.revoke(revoked);
  const auto reply =
      server::enrol(*office.store, office.service->audit_log(), request_with(code), revoked.public_key, clock);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Errc::enrolment_code_invalid);
}
