#include "handlers/problem.h"

#include <google/protobuf/util/json_util.h>

#include "fieldsync/v1/problem.pb.h"

namespace fieldsync::server {
namespace {

// What is wrong inside the server is for its log, not for the caller.
std::string sentence_for_caller(const Error& error) {
  const bool internal =
      error.code == Errc::storage_failed || error.code == Errc::storage_corrupt || error.code == Errc::internal_error;
  return internal ? std::string(describe(error.code).sentence) : error.message();
}

}  // namespace

bool wants_json(const Request& request) { return request.accept.find("application/json") != std::string::npos; }

Response problem_response(const Error& error, const Request& request) {
  const ErrcEntry& entry = describe(error.code);
  v1::Problem problem;
  problem.set_code(std::string(entry.name));
  problem.set_detail(sentence_for_caller(error));
  problem.set_status(entry.http_status == 0 ? 500 : static_cast<std::uint32_t>(entry.http_status));
  problem.set_request_id(request.id);
  problem.set_retry(entry.retry);
  Response response;
  response.status = static_cast<int>(problem.status());
  if (entry.code == Errc::overloaded) response.headers.emplace_back("Retry-After", "5");
  if (entry.code == Errc::method_not_allowed) response.headers.emplace_back("Allow", "POST");
  if (request.content_type.starts_with("application/x-protobuf") && !wants_json(request)) {
    response.content_type = "application/x-protobuf";
    response.body = problem.SerializeAsString();
    return response;
  }
  response.content_type = "application/problem+json";
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  FIELDSYNC_CHECK(google::protobuf::util::MessageToJsonString(problem, &response.body, options).ok(),
                  "our own messages have a JSON mapping");
  return response;
}

}  // namespace fieldsync::server
