// request_head.h: the head of a request that has passed the gate, as handlers see it. No I/O.
#pragma once

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <string>

#include "core/result.h"
#include "http/header_gate.h"
#include "http/message.h"

namespace fieldsync::server {

using RequestParser = boost::beast::http::request_parser<boost::beast::http::string_body>;

// Before the first byte.
void set_limits(RequestParser& parser, std::size_t body_bytes_max);

// `error`: what the parser made of the head. Nothing: the head is sound.
[[nodiscard]] std::optional<Error> head_problem(const boost::system::error_code& error);

// Of a head that was refused at the gate the parser knows nothing.
[[nodiscard]] Request plain_head(const RequestParser& parser, const HeaderGate& gate, const std::string& peer_key);

}  // namespace fieldsync::server
