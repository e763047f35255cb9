#include "handlers/attachments.h"

#include <algorithm>

#include "core/id.h"
#include "handlers/access.h"
#include "handlers/byte_range.h"
#include "handlers/message_response.h"
#include "handlers/problem.h"
#include "service/attachment_hash.h"
#include "service/day.h"
#include "service/enrolment.h"

namespace fieldsync::server {
namespace {

constexpr std::string_view path = "/v1/attachments/";
constexpr std::string_view offset_query = "?offset=";

// What a target names.
struct Place {
  core::AttachmentId id;
  std::uint32_t offset = 0;  // of a PUT
};

Result<Place> place_of(const Request& head) {
  std::string_view rest = head.target;
  rest.remove_prefix(path.size());
  const std::string_view name = rest.substr(0, 2 * core::AttachmentId{}.sha256.size());
  const auto id = core::AttachmentId::parse_hex(name);
  // Each attachment has one address.
  if (!id || id->hex() != name) {
    return Error{Errc::malformed_request,
                 "An attachment's address ends with its SHA-256 in 64 hexadecimal digits, in small letters."};
  }
  rest.remove_prefix(name.size());
  if (head.method == "GET") {
    if (!rest.empty()) return Error{Errc::malformed_request, "Nothing may follow the attachment's hash."};
    return Place{*id, 0};
  }
  const Error bad_offset{Errc::malformed_request,
                         "The address must end with ?offset= and where the bytes go on, up to 64 MiB."};
  if (access_of(head) == Access::hand_in) {
    rest.remove_suffix(hand_in_word.size());
    if (!rest.ends_with('&')) return bad_offset;
    rest.remove_suffix(1);
  }
  const auto offset = rest.starts_with(offset_query) ? parse_digits(rest.substr(offset_query.size())) : std::nullopt;
  if (!offset || *offset > core::attachment_bytes_max) return bad_offset;
  return Place{*id, static_cast<std::uint32_t>(*offset)};
}

std::optional<Error> body_problem(const Request& head) {
  if (!head.content_encoding.empty() && head.content_encoding != "identity")
    return Error{Errc::unsupported_encoding, "Content-Encoding is not accepted: an attachment is sent as it is."};
  if (head.content_type != "application/octet-stream")
    return Error{Errc::unsupported_media_type, "An attachment's bytes are sent as application/octet-stream."};
  if (std::max<std::uint64_t>(head.body_bytes, head.body.size()) > attachment_body_bytes_max)
    return Error{Errc::request_too_large, "A request may bring 1 MiB of an attachment."};
  return std::nullopt;
}

// Whatever it is, a browser must neither show nor run it.
void protect(Response& response) {
  response.content_type = "application/octet-stream";
  response.headers.emplace_back("Content-Disposition", "attachment");
  response.headers.emplace_back("Content-Security-Policy", "sandbox; default-src 'none'");
  response.headers.emplace_back("Accept-Ranges", "bytes");
}

}  // namespace

class Attachments::Sink final : public BodySink {
 public:
  Sink(const Attachments& attachments, Request head, std::unique_ptr<AttachmentUpload> upload)
      : attachments_(attachments), head_(std::move(head)), upload_(std::move(upload)) {}

  void take(std::string_view piece) override { upload_->take(piece); }
  Response finish() override {
    const auto status = upload_->finish();
    return status ? message_response(*status, head_) : attachments_.refuse(status.error(), head_);
  }
  Result<void> abandon() override { return upload_->abandon(); }

 private:
  const Attachments& attachments_;
  Request head_;
  std::unique_ptr<AttachmentUpload> upload_;
};

// Each piece asks for the right anew: it may end while a slow link reads.
class Attachments::Source final : public BodySource {
 public:
  Source(AttachmentService& service, const core::DeviceId& device, const core::AttachmentId& id, ByteRange range)
      : service_(service), device_(device), id_(id), range_(range), next_(range.first) {}

  [[nodiscard]] std::uint64_t size() const override { return range_.end - range_.first; }
  Result<std::string> read() override {
    auto piece =
        service_.read(device_, id_, next_, std::min<std::uint64_t>(attachment_piece_bytes, range_.end - next_));
    if (piece) next_ += piece->size();
    return piece;
  }

 private:
  AttachmentService& service_;
  core::DeviceId device_;
  core::AttachmentId id_;
  ByteRange range_;
  std::uint64_t next_;
};

bool Attachments::are_at(std::string_view target) { return target.starts_with(path); }

std::optional<Response> Attachments::gate(const Request& head) {
  if (head.method != "GET" && head.method != "PUT") return method_not_allowed("GET, PUT", head);
  if (head.method == "PUT") {
    if (const auto problem = body_problem(head)) return problem_response(*problem, head);
  }
  const auto place = place_of(head);
  return place ? std::nullopt : std::optional(problem_response(place.error(), head));
}

Reception Attachments::receive(const Request& head) {
  Reception reception;
  if (head.method != "PUT") return reception;
  const auto place = place_of(head);
  auto upload = place ? service_.begin_upload(device_id_of(head.peer_key), place->id, place->offset, access_of(head))
                      : Result<std::unique_ptr<AttachmentUpload>>(place.error());
  if (!upload) {
    reception.refusal = refuse(upload.error(), head);
  } else {
    reception.sink = std::make_unique<Sink>(*this, head, std::move(*upload));
  }
  return reception;
}

Response Attachments::get(const Request& request) {
  const auto place = place_of(request);
  if (!place) return problem_response(place.error(), request);
  const core::DeviceId device = device_id_of(request.peer_key);
  const auto size = service_.readable_size(device, place->id);
  if (!size) return problem_response(size.error(), request);
  const auto range = parse_range(request.range, *size);
  const std::string of_size = "/" + std::to_string(*size);
  if (range && range->is_empty()) {
    Response refusal = problem_response({Errc::range_not_satisfiable, {}}, request);
    refusal.headers.emplace_back("Content-Range", "bytes *" + of_size);
    return refusal;
  }
  if (const auto noted = note_read_(device, place->id); !noted) return problem_response(noted.error(), request);
  Response response;
  protect(response);
  if (range) {
    response.status = 206;
    response.headers.emplace_back(
        "Content-Range", "bytes " + std::to_string(range->first) + "-" + std::to_string(range->end - 1) + of_size);
  }
  response.source = std::make_unique<Source>(service_, device, place->id, range.value_or(ByteRange{0, *size}));
  return response;
}

Response Attachments::refuse(const Error& error, const Request& request) const {
  Response response = problem_response(error, request);
  if (error.code == Errc::upload_limit || error.code == Errc::read_limit)
    response.headers.emplace_back("Retry-After", std::to_string(seconds_to_next_day(clock_())));
  return response;
}

}  // namespace fieldsync::server
