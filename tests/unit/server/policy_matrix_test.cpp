// Every cell of request, role and object, made from the policy (service/policy.h) and tried against the
// handlers; and that another scope's object is answered, byte for byte and in time, as one that there is not.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "attachment_office.h"
#include "fieldsync/v1/enrol.pb.h"
#include "fieldsync/v1/problem.pb.h"
#include "handlers/router.h"
#include "support/whole_response.h"

using namespace fieldsync;
using namespace fieldsync::testing;
using server::Access;
using server::DeviceStanding;
using server::ReadingMode;
using server::Role;

namespace {

enum class Object { written, joined, in_scope, left, other_scope, missing };
constexpr std::array objects{Object::written, Object::joined,      Object::in_scope,
                             Object::left,    Object::other_scope, Object::missing};
constexpr std::array object_names{"written", "joined", "in_scope", "left", "other_scope", "missing"};

std::string photo_for(Object object) { return some_bytes(300, 100 + static_cast<int>(object)); }

// All that the caller gets.
struct Answer {
  int status = 0;
  std::string content_type, body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool operator==(const Answer&) const = default;
};

class Office : public AttachmentOffice {
 public:
  Office(Role role, ReadingMode mode)
      : router(*store, *service, *attachments, [this] { return now; }),
        person(add_person(Role::monitor, scope)),
        device(add_device(person)),
        coordinators(add_device(add_person(Role::coordinator, scope))),
        others(add_device(add_person(Role::coordinator, other_scope))) {
    for (const Object object : objects) records[object] = new_record();
    save(device, scope, Object::written);
    for (const Object object : {Object::joined, Object::in_scope, Object::left}) save(coordinators, scope, object);
    save(others, other_scope, Object::other_scope);
    for (const Object object : {Object::joined, Object::left}) join(person, records[object]);
    leave(person, records[Object::left]);
    set_role(person, scope, role, mode);
  }

  server::Router router;
  std::map<Object, core::RecordId> records;
  core::PersonId person;
  TestDevice device, coordinators, others;

  Answer ask(std::string method, std::string target, std::string body, const std::string& key) {
    server::Request request;
    request.method = std::move(method);
    request.target = std::move(target);
    request.content_type = request.method == "PUT" ? "application/octet-stream" : "application/x-protobuf";
    request.accept = "application/x-protobuf";
    request.peer_key = key;
    request.id = "the-request";
    request.body_bytes = body.size();
    request.body = std::move(body);
    auto refusal = router.gate(request);
    server::Response response = refusal ? std::move(*refusal) : whole(router.handle(request));
    return {response.status, response.content_type, response.body, response.headers};
  }
  Answer get(Object object) {
    return ask("GET", "/v1/attachments/" + file_of(photo_for(object)).id.hex(), {}, device.public_key);
  }
  Answer put(Object object, const std::string& more = {}) {
    const std::string photo = photo_for(object);
    return ask("PUT", "/v1/attachments/" + file_of(photo).id.hex() + "?offset=0" + more, photo, device.public_key);
  }
  Answer offer(Object object) {
    v1::SyncRequest request = device.request();
    v1::AttachmentOffer& offer = *request.add_offers();
    const core::AttachmentFile file = file_of(photo_for(object));
    offer.set_sha256(file.id.view().data(), file.id.view().size());
    offer.set_size(file.size);
    return ask("POST", "/v1/sync", request.SerializeAsString(), device.public_key);
  }
  // "applied", or the code with which it went to quarantine.
  std::string save_again(const core::ScopeId& where, const core::RecordId& record) {
    const v1::SyncReply reply = push(device, {device.save(where, record, {writes_text("more")})});
    return reply.results_size() == 0 ? "applied" : reply.results(0).code();
  }
  std::set<std::string> held() {
    pull(device);
    std::set<std::string> ids;
    for (const auto& [id, record] : device.records[std::string(scope.view())]) ids.insert(id);
    for (const auto& [id, record] : device.records[std::string(other_scope.view())]) ids.insert(id);
    return ids;
  }

 private:
  void save(TestDevice& by, const core::ScopeId& where, Object object) {
    const std::string photo = photo_for(object);
    REQUIRE(
        push(by, {by.save(where, records[object], {{{{}, office_fields::photo}, core::Value{photo_of(photo)}, {}}})})
            .results_size() == 0);
    send(by, photo);
  }
};

bool reads(Role role, ReadingMode mode, Object object) {
  if (server::policy_of(role).reads == server::Reads::nothing) return false;
  if (object == Object::written || object == Object::joined) return true;
  const bool is_there = object == Object::in_scope || object == Object::left;
  return is_there && server::reading_mode_of(role, mode) == ReadingMode::scope;
}

std::string outcome_of_saving(Role role, ReadingMode mode, Object object) {
  if (role == Role::none) return "scope_not_found";
  if (!server::policy_of(role).writes) return "not_permitted";
  // Words of somebody who has left are taken; a record that there is not is made.
  const bool is_taken = object == Object::missing || object == Object::left || reads(role, mode, object);
  return is_taken ? "applied" : "scope_not_found";
}

bool may_bring(Role role, ReadingMode mode, Object object) {
  return object == Object::written || (server::policy_of(role).writes && reads(role, mode, object));
}

// How surely one of two sets of times is the longer: the score of Mann and Whitney's rank test, which without a
// difference is within 4 but for once in 15,000 times.
double rank_score(const std::vector<double>& left, const std::vector<double>& right) {
  std::vector<double> sorted = right;
  std::sort(sorted.begin(), sorted.end());
  double above = 0;  // pairs of which the left one is longer; equal ones count half
  for (const double one : left) {
    const auto [begin, end] = std::equal_range(sorted.begin(), sorted.end(), one);
    above += static_cast<double>((begin - sorted.begin()) + (end - sorted.begin())) / 2;
  }
  const double pairs = static_cast<double>(left.size() * right.size());
  return (above - pairs / 2) / std::sqrt(pairs * static_cast<double>(left.size() + right.size() + 1) / 12);
}

// Of two sets of 1,000 times half the spread of one makes a score of 14, and one more question to the database 8 to 12.
constexpr double score_max = 5;

}  // namespace

TEST_CASE("The matrix of roles, reading modes, requests and objects is what the policy says") {
  const Role role = static_cast<Role>(GENERATE(range(0, 6)));
  const ReadingMode mode = GENERATE(ReadingMode::scope, ReadingMode::own);
  Office office(role, mode);
  const Answer missing = office.get(Object::missing);
  CHECK(missing.status == 404);
  const Answer not_awaited = office.put(Object::missing);
  for (const Object object : objects) {
    INFO(server::name_of(role) << (mode == ReadingMode::own ? ", own, " : ", scope, ")
                               << object_names[static_cast<std::size_t>(object)]);
    const bool is_read = reads(role, mode, object);
    CHECK(office.held().contains(office.records[object].hex()) == is_read);
    const Answer got = office.get(object);
    CHECK((got == missing) == !is_read);
    if (is_read) CHECK(got.body == photo_for(object));
    const bool is_brought = may_bring(role, mode, object);
    const Answer put = office.put(object);
    CHECK(put.status == (is_brought ? 200 : 404));
    if (!is_brought) CHECK(put == not_awaited);
    // A device that is not revoked gains nothing by saying that it hands in.
    CHECK(office.put(object, "&hand_in") == put);
    const Answer offered = office.offer(object);
    CHECK(offered.status == 200);
    CHECK((offered == office.offer(Object::missing)) == !(is_read || is_brought));
  }
  // Another scope, and one that there is not.
  core::ScopeId no_scope = office.scope;
  no_scope.bytes[0] ^= 1;
  CHECK(office.save_again(office.other_scope, new_record()) == "scope_not_found");
  CHECK(office.save_again(no_scope, new_record()) == "scope_not_found");
  for (const Object object : objects) {
    INFO(server::name_of(role) << (mode == ReadingMode::own ? ", own, " : ", scope, ")
                               << object_names[static_cast<std::size_t>(object)]);
    CHECK(office.save_again(office.scope, office.records[object]) == outcome_of_saving(role, mode, object));
  }
}

TEST_CASE("Each request is answered by how the office knows the device, as the policy says") {
  Office office(Role::monitor, ReadingMode::scope);
  TestDevice stranger;
  TestDevice revoked = office.add_device(office.person);
  office.revoke(revoked);
  const std::map<DeviceStanding, std::string> keys{{DeviceStanding::without_key, ""},
                                                   {DeviceStanding::unknown, stranger.public_key},
                                                   {DeviceStanding::revoked, revoked.public_key},
                                                   {DeviceStanding::enrolled, office.device.public_key}};
  struct Endpoint {
    const char* method;
    std::string target;
    Access access;
    int let_in_status;
  };
  const std::string mine = "/v1/attachments/" + file_of(photo_for(Object::written)).id.hex();
  const std::array endpoints{
      Endpoint{"POST", "/v1/sync", Access::full, 200}, Endpoint{"POST", "/v1/sync?hand_in", Access::hand_in, 200},
      Endpoint{"GET", mine, Access::full, 200}, Endpoint{"PUT", mine + "?offset=0", Access::full, 200},
      Endpoint{"PUT", mine + "?offset=0&hand_in", Access::hand_in, 200}};
  for (const auto& [standing, key] : keys) {
    for (const Endpoint& endpoint : endpoints) {
      INFO(static_cast<int>(standing) << " " << endpoint.method << " " << endpoint.target);
      const std::string body =
          endpoint.method == std::string("POST") ? office.device.request().SerializeAsString() : std::string();
      const Answer answer = office.ask(endpoint.method, endpoint.target, body, key);
      const auto refusal = server::refusal_of(standing, endpoint.access);
      CHECK(answer.status == (refusal ? describe(*refusal).http_status : endpoint.let_in_status));
      v1::Problem problem;
      const bool is_named =
          refusal && problem.ParseFromString(answer.body) && problem.code() == describe(*refusal).name;
      CHECK(is_named == refusal.has_value());
    }
    v1::EnrolRequest enrol;
    enrol.set_protocol_version(1);
    enrol.set_code("00000000000000000");
    enrol.set_device_name("A device");
    const Answer answer = office.ask("POST", "/v1/enrol", enrol.SerializeAsString(), key);
    const auto refusal = server::standing_policies[static_cast<std::size_t>(standing)].enrol;
    CHECK(answer.status == describe(refusal.value_or(Errc::enrolment_code_invalid)).http_status);
  }
}

TEST_CASE("A revoked device reads nothing and is told nothing of any object") {
  Office office(Role::coordinator, ReadingMode::scope);
  office.revoke(office.device);
  const Answer missing = office.get(Object::missing);
  const Answer not_awaited = office.put(Object::missing, "&hand_in");
  for (const Object object : objects) {
    INFO(object_names[static_cast<std::size_t>(object)]);
    CHECK(office.get(object) == missing);
    // What it wrote itself it may still bring.
    if (object != Object::written) CHECK(office.put(object, "&hand_in") == not_awaited);
    if (object == Object::written) CHECK(office.put(object, "&hand_in").status == 200);
  }
}

TEST_CASE("Another scope's attachment is answered in the time that a missing one takes", "[time]") {
  const std::string request = GENERATE("GET", "PUT", "an offer");
  Office office(Role::coordinator, ReadingMode::scope);
  // A sync has nothing to tell but what it says of the offer.
  office.pull(office.device);
  const auto time_of = [&](Object object) {
    const auto start = std::chrono::steady_clock::now();
    const Answer answer = request == "GET"   ? office.get(object)
                          : request == "PUT" ? office.put(object)
                                             : office.offer(object);
    const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
    CHECK(answer.status == (request == "an offer" ? 200 : 404));
    return took.count();
  };
  // What else the machine does may come between in one round, and not in three.
  bool is_same = false;
  for (int round = 0; round < 3 && !is_same; ++round) {
    std::vector<double> missing, other;
    for (int i = 0; i < 500; ++i) {
      missing.push_back(time_of(Object::missing));
      other.push_back(time_of(Object::other_scope));
      // And in the other order, in case the first of two is always the slower.
      other.push_back(time_of(Object::other_scope));
      missing.push_back(time_of(Object::missing));
    }
    const double score = rank_score(missing, other);
    UNSCOPED_INFO(request << ": a score of " << score);
    is_same = std::abs(score) < score_max;
  }
  CHECK(is_same);
}
