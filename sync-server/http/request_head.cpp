#include "http/request_head.h"

#include <openssl/rand.h>

#include <array>
#include <boost/beast/http/error.hpp>

#include "core/id.h"

namespace fieldsync::server {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::size_t header_bytes_max = 8 * 1024;

std::string random_request_id() {
  std::array<unsigned char, 8> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return "none";
  return core::to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

bool asks_to_continue(const RequestParser::value_type& head) {
  return beast::iequals(head[http::field::expect], "100-continue");
}

// More than one is read as none, and so is one that holds for another version of the file:
// none has been told (RFC 9110 sections 13.1.5 and 14.2).
beast::string_view range_of(const RequestParser::value_type& head) {
  const bool is_plain = head.count(http::field::range) == 1 && head.count(http::field::if_range) == 0;
  return is_plain ? head[http::field::range] : beast::string_view();
}

// What Beast 1.81 accepts and RFC 9112 does not. Nothing means that it is clean.
std::optional<Error> framing_problem(const RequestParser::value_type& head) {
  if (head.find(http::field::transfer_encoding) != head.end()) {
    return Error{Errc::length_required, "Transfer-Encoding is not accepted: send one Content-Length."};
  }
  if (head.count(http::field::content_length) > 1)
    return Error{Errc::malformed_request, "There is more than one Content-Length."};
  if (head.count(http::field::host) != 1) return Error{Errc::malformed_request, "There must be one Host."};
  if (head.count(http::field::content_type) > 1)
    return Error{Errc::malformed_request, "There is more than one Content-Type."};
  if (head.count(http::field::expect) > 0 && !asks_to_continue(head))
    return Error{Errc::malformed_request, "There is an Expect that is not understood."};
  const bool carries_body = head.method() == http::verb::post || head.method() == http::verb::put;
  if (carries_body && head.count(http::field::content_length) == 0) return Error{Errc::length_required, {}};
  return std::nullopt;
}

}  // namespace

void set_limits(RequestParser& parser, std::size_t body_bytes_max) {
  parser.header_limit(header_bytes_max);
  parser.body_limit(body_bytes_max);
}

std::optional<Error> head_problem(const RequestParser& parser, const boost::system::error_code& error) {
  if (error == http::error::header_limit) return Error{Errc::header_too_large, {}};
  if (error == http::error::body_limit) return Error{Errc::request_too_large, {}};
  if (error) return Error{Errc::malformed_request, "The request is not valid HTTP/1.1."};
  return framing_problem(parser.get());
}

Request plain_head(const RequestParser& parser, const std::string& peer_key) {
  const RequestParser::value_type& head = parser.get();
  const auto text = [](beast::string_view view) { return std::string(view.data(), view.size()); };
  return {text(head.method_string()),
          text(head.target()),
          text(head[http::field::content_type]),
          text(head[http::field::content_encoding]),
          text(head[http::field::accept]),
          {},
          peer_key,
          random_request_id(),
          text(range_of(head)),
          parser.is_header_done() ? parser.content_length().value_or(0) : 0,
          head.version() == 11 && asks_to_continue(head)};
}

}  // namespace fieldsync::server
