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
          random_request_id()};
}

}  // namespace fieldsync::server
