#include "handlers/router.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include "codec/frame.h"
#include "codec/wire_scan.h"
#include "fieldsync/v1/enrol.pb.h"
#include "fieldsync/v1/sync.pb.h"
#include "handlers/access.h"
#include "handlers/json_scan.h"
#include "handlers/message_response.h"
#include "handlers/problem.h"

namespace fieldsync::server {
namespace {

// The one body that somebody unknown may send: a code and a name, which come within the time that a header has.
constexpr std::uint64_t enrol_body_bytes_max = 4 * 1024;
constexpr std::chrono::seconds enrol_body_time_max{10};

bool speaks_json(const Request& request) { return request.content_type.starts_with("application/json"); }

// Reads either mapping. `message` may be half filled after a refusal.
Result<void> decode(const Request& request, google::protobuf::Message& message) {
  if (speaks_json(request)) {
    if (request.body.size() > json_body_bytes_max)
      return Error{Errc::request_too_large, "A request in JSON may have 256 KiB."};
    if (auto scanned = scan_json(request.body); !scanned) return scanned;
    const auto status = google::protobuf::util::JsonStringToMessage(request.body, &message);
    if (!status.ok())
      return Error{Errc::malformed_request,
                   "The request is not the JSON mapping of the message: see proto/fieldsync/v1."};
    return {};
  }
  std::size_t elements = 0;
  if (auto scanned = codec::scan_message(request.body, *message.GetDescriptor(), codec::request_limits, elements);
      !scanned)
    return scanned;
  if (!message.ParseFromString(request.body))
    return Error{Errc::malformed_request, "The request is cut short, not protobuf, or holds text that is not UTF-8."};
  return {};
}

// Of addresses that take a message.
std::optional<Response> message_gate(const Request& head) {
  if (head.target != "/v1/sync" && head.target != "/v1/sync?hand_in" && head.target != enrol_target)
    return problem_response({Errc::unknown_endpoint, {}}, head);
  if (head.method != "POST") return method_not_allowed("POST", head);
  if (!head.content_encoding.empty() && head.content_encoding != "identity") {
    return problem_response(
        {Errc::unsupported_encoding, "Content-Encoding is not accepted; frames inside are compressed."}, head);
  }
  if (head.target == enrol_target && head.body_bytes > enrol_body_bytes_max)
    return problem_response({Errc::request_too_large, "An enrolment has a code and a name."}, head);
  if (!speaks_json(head) && !head.content_type.starts_with("application/x-protobuf"))
    return problem_response({Errc::unsupported_media_type, {}}, head);
  return std::nullopt;
}

}  // namespace

Router::Router(Store& store, SyncService& sync, AttachmentService& attachments, Clock clock)
    : store_(store),
      sync_(sync),
      attachments_(
          attachments,
          [&sync](const core::DeviceId& device, const core::AttachmentId& id) {
            return sync.note_attachment_read(device, id);
          },
          clock),
      enrolment_(store, sync.audit_log(), std::move(clock)) {
  google::protobuf::SetLogHandler(nullptr);
}

std::optional<Response> Router::gate(const Request& head) {
  if (head.method == "CONNECT" || head.method == "TRACE")
    return problem_response({Errc::not_implemented, "The server does not do that at any address."}, head);
  auto refusal = Attachments::are_at(head.target) ? Attachments::gate(head) : message_gate(head);
  if (refusal) return refusal;
  if (head.peer_key.empty()) return problem_response({Errc::unknown_device, {}}, head);
  if (head.target == enrol_target) return std::nullopt;
  const auto looked = store_.read([&](ReadTransaction& transaction) -> Result<void> {
    const auto device = enrolled_device(transaction, device_id_of(head.peer_key), access_of(head));
    return device ? Result<void>() : device.error();
  });
  return looked ? std::nullopt : std::optional(problem_response(looked.error(), head));
}

bool Router::knows(const std::string& peer_key) {
  bool is_known = false;
  if (peer_key.empty()) return is_known;
  const auto looked = store_.read([&](ReadTransaction& transaction) -> Result<void> {
    is_known = transaction.device_by_id(device_id_of(peer_key)).has_value();
    return {};
  });
  return looked && is_known;
}

Reception Router::receive(const Request& head) {
  Reception reception;
  if (head.target == enrol_target) {
    reception.body_time_max = enrol_body_time_max;
    return reception;
  }
  if (Attachments::are_at(head.target)) reception = attachments_.receive(head);
  reception.peer_is_known = true;
  return reception;
}

Response Router::handle(const Request& request) {
  if (request.target == enrol_target) return enrol(request);
  if (!Attachments::are_at(request.target)) return sync(request);
  if (request.method == "GET") return attachments_.get(request);
  Reception reception = attachments_.receive(request);
  if (reception.refusal) return std::move(*reception.refusal);
  reception.sink->take(request.body);
  return reception.sink->finish();
}

Response Router::sync(const Request& request) {
  google::protobuf::Arena arena;
  auto& message = *google::protobuf::Arena::CreateMessage<v1::SyncRequest>(&arena);
  if (auto decoded = decode(request, message); !decoded) return problem_response(decoded.error(), request);
  BodyStyle style = message.dictionary_id() == codec::dictionary_id() ? BodyStyle::frame : BodyStyle::plain;
  if (wants_json(request)) style = BodyStyle::expanded;
  const auto reply = sync_.sync(device_id_of(request.peer_key), message, style, access_of(request));
  return reply ? message_response(*reply, request) : problem_response(reply.error(), request);
}

Response Router::enrol(const Request& request) {
  v1::EnrolRequest message;
  if (auto decoded = decode(request, message); !decoded) return problem_response(decoded.error(), request);
  const auto reply = enrolment_.enrol(message, request.peer_key, request.peer_address);
  return reply ? message_response(*reply, request) : problem_response(reply.error(), request);
}

}  // namespace fieldsync::server
