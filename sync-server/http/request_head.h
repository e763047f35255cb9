// request_head.h: what is read of a request before its body: as handlers see it,
// and why it is refused. No I/O.
#pragma once

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>

#include "core/result.h"
#include "http/message.h"

namespace fieldsync::server {

using RequestParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

// Before the first byte.
void set_limits(RequestParser& parser, std::size_t body_bytes_max);

// `error`: what the parser made of the head. Nothing: the head is sound.
[[nodiscard]] std::optional<Error> head_problem(const RequestParser& parser, const boost::system::error_code& error);

[[nodiscard]] Request plain_head(const RequestParser& parser, const std::string& peer_key);

}  // namespace fieldsync::server
