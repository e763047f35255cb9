#include "api/problem.h"

#include "fieldsync/v1/problem.pb.h"

namespace fieldsync::api {

Error error_of(const engine::HttpReply& reply) {
  v1::Problem problem;
  if (reply.content_type.starts_with("application/x-protobuf") && problem.ParseFromString(reply.body)) {
    const auto code = errc_from_name(problem.code());
    // The same codes speak of this device's store elsewhere.
    const bool of_storage = code == Errc::storage_full || code == Errc::storage_failed || code == Errc::storage_corrupt;
    if (code) return {*code, of_storage ? "The server says of itself: " + problem.detail() : problem.detail()};
  }
  if (reply.status == 503) return {Errc::overloaded, {}};
  // A server in need says no more than that; so does what stands in front of it.
  if (reply.status >= 500) return {Errc::internal_error, {}};
  return {Errc::incompatible_server,
          "The server answered with status " + std::to_string(reply.status) + ", which this app does not understand."};
}

}  // namespace fieldsync::api
