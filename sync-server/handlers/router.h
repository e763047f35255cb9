// router.h: which request goes where: decode, call the service, encode.
#pragma once

#include <optional>
#include <string_view>

#include "handlers/attachments.h"
#include "http/message.h"
#include "service/enrolment.h"
#include "service/sync_service.h"
#include "store/store.h"

namespace fieldsync::server {

// JSON is parsed into several times its size: callers that speak it send less.
inline constexpr std::size_t json_body_bytes_max = 256 * 1024;
inline constexpr std::string_view enrol_target = "/v1/enrol";

// Threads: any.
class Router {
 public:
  // Turns protobuf's own logging off for the process: bad input is answered, not printed.
  Router(Store& store, SyncService& sync, AttachmentService& attachments, Clock clock);

  // Whether a device with this key is, or was, enrolled here.
  [[nodiscard]] bool knows(const std::string& peer_key);
  // From the head alone: what is refused before its body is read.
  [[nodiscard]] std::optional<Response> gate(const Request& head);
  // What is to be done with the body. Pre, here and below: the gate let it pass.
  [[nodiscard]] Reception receive(const Request& head);
  // With the whole body.
  [[nodiscard]] Response handle(const Request& request);

 private:
  [[nodiscard]] Response sync(const Request& request);
  [[nodiscard]] Response enrol(const Request& request);

  Store& store_;
  SyncService& sync_;
  Attachments attachments_;
  Enrolment enrolment_;
};

}  // namespace fieldsync::server
