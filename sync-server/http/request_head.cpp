#include "http/request_head.h"

#include <openssl/rand.h>

#include <array>
#include <boost/beast/http/error.hpp>

#include "core/id.h"

namespace fieldsync::server {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

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

}  // namespace

void set_limits(RequestParser& parser, std::size_t body_bytes_max) {
  parser.header_limit(head_bytes_max);
  parser.body_limit(body_bytes_max);
}

std::optional<Error> head_problem(const boost::system::error_code& error) {
  if (error == http::error::body_limit) return Error{Errc::request_too_large, {}};
  if (error) return Error{Errc::malformed_request, "The request is not valid HTTP/1.1."};
  return std::nullopt;
}

Request plain_head(const RequestParser& parser, const HeaderGate& gate, const std::string& peer_key) {
  const RequestParser::value_type& head = parser.get();
  const auto text = [](beast::string_view view) { return std::string(view.data(), view.size()); };
  return {gate.method(),
          gate.target(),
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
