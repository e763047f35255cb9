// message_response.h: a message as an answer: protobuf, or JSON where the caller asked for it.
#pragma once

#include "http/message.h"

namespace google::protobuf {
class Message;
}

namespace fieldsync::server {

[[nodiscard]] Response message_response(const google::protobuf::Message& message, const Request& request);

}  // namespace fieldsync::server
