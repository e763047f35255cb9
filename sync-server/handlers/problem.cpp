#include "handlers/problem.h"

#include <google/protobuf/util/json_util.h>

#include "fieldsync/v1/problem.pb.h"
#include "service/guess_limit.h"

namespace fieldsync::server {
namespace {

// What is wrong inside the server is for its log, not for the caller.
std::string sentence_for_caller(const Error& error) {
  const bool internal = error.code == Errc::storage_full || error.code == Errc::storage_failed ||
                        error.code == Errc::storage_corrupt || error.code == Errc::internal_error;
  return internal ? std::string(describe(error.code).sentence) : error.message();
}

// Callers that speak it in both directions, or ask for it.
bool wants_protobuf(const Request& request) {
  const bool speaks_it = request.content_type.starts_with("application/x-protobuf");
  return !wants_json(request) && (speaks_it || request.accept.find("application/x-protobuf") != std::string::npos);
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
  response.outcome = entry.name;
  if (entry.code == Errc::too_many_attempts) {
    response.headers.emplace_back("Retry-After", std::to_string(wrong_codes_span.count / 1000));
  }
  if (entry.code == Errc::overloaded) response.headers.emplace_back("Retry-After", "5");
  if (wants_protobuf(request)) {
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

Response method_not_allowed(const std::string& allow, const Request& request) {
  Response response = problem_response({Errc::method_not_allowed, {}}, request);
  response.headers.emplace_back("Allow", allow);
  return response;
}

}  // namespace fieldsync::server
