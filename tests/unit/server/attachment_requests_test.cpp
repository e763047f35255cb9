// PUT and GET /v1/attachments/{sha256}: the addresses, the heads and what is answered.
#include "attachment_office.h"
#include "fieldsync/v1/problem.pb.h"
#include "handlers/byte_range.h"
#include "handlers/router.h"
#include "service/day.h"
#include "support/whole_response.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

const std::string photo = some_bytes(200'000);
const std::string hash = file_of(photo).id.hex();

class RoutedOffice : public AttachmentOffice {
 public:
  RoutedOffice() : router(*store, *service, *attachments, [this] { return now; }) { name(photo); }

  server::Router router;

  [[nodiscard]] server::Request request(std::string method, std::string target) const {
    server::Request made;
    made.method = std::move(method);
    made.target = "/v1/attachments/" + target;
    made.accept = "application/x-protobuf";
    made.peer_key = phone.public_key;
    if (made.method == "PUT") made.content_type = "application/octet-stream";
    return made;
  }
  server::Response ask(const server::Request& request) {
    auto refusal = router.gate(request);
    return refusal ? std::move(*refusal) : whole(router.handle(request));
  }
  server::Response get(const std::string& range = {}) {
    server::Request made = request("GET", hash);
    made.range = range;
    return ask(made);
  }
};

std::string header(const server::Response& response, const std::string& name) {
  std::string found;
  for (const auto& [each, value] : response.headers) {
    if (each == name) found += value;
  }
  return found;
}

// The status and the code.
std::string refusal(const server::Response& response) {
  v1::Problem problem;
  REQUIRE(problem.ParseFromString(response.body));
  CHECK(response.content_type == "application/x-protobuf");
  CHECK(problem.status() == static_cast<std::uint32_t>(response.status));
  check_sentence(problem.detail());
  return std::to_string(response.status) + " " + problem.code();
}

}  // namespace

TEST_CASE("A PUT is answered with the status, in protobuf or in JSON") {
  RoutedOffice office;
  server::Request request = office.request("PUT", hash + "?offset=0");
  request.body = photo.substr(0, 150'000);
  const server::Response sent = office.ask(request);
  CHECK(sent.status == 200);
  v1::AttachmentStatus status;
  REQUIRE(status.ParseFromString(sent.body));
  CHECK(status.sha256() == file_of(photo).id.view());
  CHECK(told(status) == Told{150'000, false});
  request.target = "/v1/attachments/" + hash + "?offset=150000";
  request.body = photo.substr(150'000);
  request.accept = "application/json";
  const server::Response rest = office.ask(request);
  CHECK(rest.content_type == "application/json");
  CHECK(rest.body.find("\"durable_offset\":200000,\"complete\":true") != std::string::npos);
}

TEST_CASE("A file is read whole, and no browser shows or runs it") {
  RoutedOffice office;
  office.send(office.phone, photo);
  const server::Response answer = office.get();
  CHECK(answer.status == 200);
  CHECK(answer.body == photo);
  CHECK(answer.content_type == "application/octet-stream");
  CHECK(header(answer, "Content-Disposition") == "attachment");
  CHECK(header(answer, "Content-Security-Policy") == "sandbox; default-src 'none'");
  CHECK(header(answer, "Accept-Ranges") == "bytes");
  CHECK(header(answer, "Content-Range").empty());
}

TEST_CASE("One range is honoured, and what is no such range is ignored") {
  RoutedOffice office;
  office.send(office.phone, photo);
  const auto check_part = [&](const std::string& range, std::size_t first, std::size_t last) {
    INFO(range);
    const server::Response answer = office.get(range);
    CHECK(answer.status == 206);
    CHECK(answer.body == photo.substr(first, last - first + 1));
    CHECK(header(answer, "Content-Range") == "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/200000");
  };
  check_part("bytes=0-", 0, 199'999);
  check_part("bytes=0-0", 0, 0);
  check_part("bytes=70000-140000", 70'000, 140'000);
  check_part("bytes=199999-", 199'999, 199'999);
  check_part("bytes=5-99999999999999999999999999", 5, 199'999);
  for (const std::string range : {"bytes=", "bytes=-", "bytes=-5", "bytes=5-4", "bytes=a-", "bytes=1-b",
                                  "bytes=1-2,4-5", "bytes= 1-2", "octets=1-2", "bytes 1-2", "bytes=+1-2", "bytes=1"}) {
    INFO(range);
    const server::Response answer = office.get(range);
    CHECK(answer.status == 200);
    CHECK(answer.body.size() == photo.size());
  }
  for (const std::string range : {"bytes=200000-", "bytes=200000-300000", "bytes=99999999999999999999999999-"}) {
    INFO(range);
    const server::Response answer = office.get(range);
    CHECK(refusal(answer) == "416 range_not_satisfiable");
    CHECK(header(answer, "Content-Range") == "bytes */200000");
  }
}

TEST_CASE("Addresses that name no attachment are refused") {
  RoutedOffice office;
  const std::string upper = "ABCDEF" + hash.substr(6);
  for (const std::string& name : {std::string(), hash.substr(1), hash + "0", upper, std::string(64, 'g'),
                                  "..%2f" + hash.substr(5), "../" + hash.substr(3), hash + "/"}) {
    INFO(name);
    CHECK(refusal(office.ask(office.request("GET", name))) == "400 malformed_request");
    CHECK(refusal(office.ask(office.request("PUT", name + "?offset=0"))) == "400 malformed_request");
  }
  for (const std::string query :
       {"", "?", "?offset", "?offset=", "?offset=-1", "?offset=x", "?offset=1x", "?offset= 1", "?Offset=1",
        "?offset=67108865", "?offset=18446744073709551616", "?a=1&offset=1", "?offset=1&offset=2", "?hand_in",
        "&hand_in", "?offset=1&hand_in=1", "?hand_in&offset=1", "?offset=&hand_in"}) {
    INFO(query);
    CHECK(refusal(office.ask(office.request("PUT", hash + query))) == "400 malformed_request");
  }
  CHECK(refusal(office.ask(office.request("GET", hash + "?offset=0"))) == "400 malformed_request");
  server::Request request = office.request("GET", "");
  for (const std::string& target :
       {std::string("/v1/attachments"), "/v1/attachment/" + hash, "/attachments/" + hash, std::string("/v1")}) {
    request.target = target;
    CHECK(refusal(office.ask(request)) == "404 unknown_endpoint");
  }
}

TEST_CASE("Other methods are refused, and those that are taken named") {
  RoutedOffice office;
  for (const std::string method : {"POST", "DELETE", "HEAD", "OPTIONS", "PATCH"}) {
    const server::Response answer = office.ask(office.request(method, hash));
    CHECK(refusal(answer) == "405 method_not_allowed");
    CHECK(header(answer, "Allow") == "GET, PUT");
  }
  for (const std::string method : {"CONNECT", "TRACE"})
    CHECK(refusal(office.ask(office.request(method, hash))) == "501 not_implemented");
  server::Request request = office.request("PUT", "");
  request.target = "/v1/sync";
  const server::Response answer = office.ask(request);
  CHECK(refusal(answer) == "405 method_not_allowed");
  CHECK(header(answer, "Allow") == "POST");
}

TEST_CASE("A body of another kind or of more than 1 MiB is refused by its head") {
  RoutedOffice office;
  server::Request request = office.request("PUT", hash + "?offset=0");
  request.body_bytes = server::attachment_body_bytes_max;
  CHECK_FALSE(office.router.gate(request));
  request.body_bytes += 1;
  CHECK(refusal(office.ask(request)) == "413 request_too_large");
  request.body_bytes = 0;
  for (const std::string type : {"", "image/jpeg", "application/x-protobuf", "application/octet-stream; x=1"}) {
    request.content_type = type;
    CHECK(refusal(office.ask(request)) == "415 unsupported_media_type");
  }
  request.content_type = "application/octet-stream";
  request.content_encoding = "gzip";
  CHECK(refusal(office.ask(request)) == "415 unsupported_encoding");
}

TEST_CASE("Without a key that is enrolled nothing is answered but that, whether there is such a file or not") {
  RoutedOffice office;
  office.send(office.phone, photo);
  for (const std::string& name : {hash, std::string(64, '0')}) {
    for (const std::string& key : {std::string(), std::string(32, 'k')}) {
      server::Request get = office.request("GET", name);
      server::Request put = office.request("PUT", name + "?offset=0");
      get.peer_key = put.peer_key = key;
      CHECK(refusal(office.ask(get)) == "401 unknown_device");
      CHECK(refusal(office.ask(put)) == "401 unknown_device");
    }
  }
}

TEST_CASE("A file of another scope is answered with the same bytes as one that nobody has") {
  RoutedOffice office;
  office.send(office.phone, photo);
  const TestDevice stranger = office.add_device(office.add_person(server::Role::monitor, office.other_scope));
  const auto answers_for = [&](const std::string& name) {
    std::string all;
    for (server::Request request : {office.request("GET", name), office.request("PUT", name + "?offset=0")}) {
      request.peer_key = stranger.public_key;
      request.id = "1";
      const server::Response answer = office.ask(request);
      CHECK(refusal(answer) == "404 not_found");
      CHECK(answer.headers.empty());
      all += answer.body;
    }
    return all;
  };
  CHECK(answers_for(hash) == answers_for(std::string(64, '0')));
}

TEST_CASE("Who has sent enough for a day is told when to go on") {
  RoutedOffice office;
  REQUIRE(office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    transaction.add_bytes_taken(transaction.device_by_id(office.phone.id)->key, server::day_of(office.now),
                                server::upload_bytes_per_day_max);
    return {};
  }));
  office.now.ms = (server::day_of(office.now) + 1) * server::ms_per_day - 90'500;
  server::Request request = office.request("PUT", hash + "?offset=0");
  request.body = photo;
  const server::Response answer = office.ask(request);
  CHECK(refusal(answer) == "429 upload_limit");
  CHECK(header(answer, "Retry-After") == "91");
}

TEST_CASE("What is wrong with the bytes is told with its code") {
  RoutedOffice office;
  server::Request request = office.request("PUT", hash + "?offset=0");
  request.body = photo + "x";
  CHECK(refusal(office.ask(request)) == "400 malformed_request");
  const std::string other = some_bytes(1000, 2);
  office.name(other);
  request.target = "/v1/attachments/" + file_of(other).id.hex() + "?offset=0";
  request.body = some_bytes(1000, 3);
  CHECK(refusal(office.ask(request)) == "422 attachment_damaged");
}
