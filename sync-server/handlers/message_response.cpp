#include "handlers/message_response.h"

#include <google/protobuf/util/json_util.h>

#include "core/check.h"
#include "handlers/problem.h"

namespace fieldsync::server {

Response message_response(const google::protobuf::Message& message, const Request& request) {
  Response response;
  if (!wants_json(request)) {
    response.content_type = "application/x-protobuf";
    response.body = message.SerializeAsString();
    return response;
  }
  response.content_type = "application/json";
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  FIELDSYNC_CHECK(google::protobuf::util::MessageToJsonString(message, &response.body, options).ok(),
                  "our own messages have a JSON mapping");
  return response;
}

}  // namespace fieldsync::server
