#include "http/http_session.h"

#include <algorithm>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>
#include <chrono>
#include <cstdint>

#include "http/peer_address.h"

namespace fieldsync::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

constexpr auto handshake_timeout = std::chrono::seconds(5);
constexpr auto header_timeout = std::chrono::seconds(10);
constexpr auto idle_timeout = std::chrono::seconds(60);
constexpr auto step_timeout = std::chrono::seconds(10);  // each wait within a body
constexpr auto end_timeout = std::chrono::seconds(2);
constexpr std::size_t head_step_bytes = 4 * 1024;
constexpr std::size_t body_step_bytes = 16 * 1024;
constexpr int requests_per_connection_max = 1'000;

// Without the body.
std::string head_of(const Response& response, bool keep_alive) {
  const std::uint64_t body_bytes = response.source ? response.source->size() : response.body.size();
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  const beast::string_view reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)));
  head.append(reason.data(), reason.size());
  head += "\r\nContent-Type: " + response.content_type + "\r\nContent-Length: " + std::to_string(body_bytes);
  head += "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff";
  head += "\r\nStrict-Transport-Security: max-age=63072000";
  for (const auto& [name, value] : response.headers) head += "\r\n" + name + ": " + value;
  return head + (keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
}

// What of `arrived` the parser takes. need_more is no error here.
void feed(RequestParser& parser, beast::flat_buffer& arrived, TlsStream::ErrorCode& error) {
  arrived.consume(parser.put(arrived.data(), error));
  if (error == http::error::need_more) error.clear();
}

}  // namespace

asio::awaitable<void> HttpSession::run() {
  ErrorCode error;
  stream_->limit_all(handshake_timeout);
  co_await stream_->handshake(error);
  if (error) co_return;
  peer_key_ = stream_->peer_key();
  bool keep_alive = true;
  while (keep_alive && !around_.stopping) {
    HeaderGate gate;
    auto problem = co_await read_head(gate, error);
    if (error) break;
    is_busy_ = true;
    keep_alive = co_await serve(gate, std::move(problem));
    is_busy_ = false;
    ++served_;
  }
  stream_->limit_all(end_timeout);
  co_await stream_->end();
}

// All of the head, from its first line on. `error`: the connection ended before. Else, why it is refused.
asio::awaitable<std::optional<Error>> HttpSession::read_head(HeaderGate& gate, ErrorCode& error) {
  // A connection that has served a request waits longer for the next one to begin.
  bool is_idle = served_ > 0 && arrived_.size() == 0;
  stream_->limit_all(is_idle ? idle_timeout : header_timeout);
  while (!error) {
    const auto size = gate.look({static_cast<const char*>(arrived_.data().data()), arrived_.size()});
    if (!size) co_return size.error();
    if (*size) {
      arrived_.consume(gate.empty_line_bytes());
      co_return std::nullopt;
    }
    // While nothing is there, no memory waits for it.
    if (arrived_.size() == 0) arrived_.shrink_to_fit();
    co_await stream_->wait_for_input(error);
    if (error) break;
    const auto room = arrived_.prepare(head_step_bytes);
    arrived_.commit(co_await stream_->read_some(static_cast<char*>(room.data()), room.size(), error));
    if (std::exchange(is_idle, false)) stream_->limit_all(header_timeout);
  }
  // Who has said nothing is told nothing.
  if (error != asio::error::timed_out || arrived_.size() == 0) co_return std::nullopt;
  error.clear();
  co_return Error{Errc::timeout, "The request's header did not come in time."};
}

// True where the connection may carry another request.
asio::awaitable<bool> HttpSession::serve(const HeaderGate& gate, std::optional<Error> problem) {
  ErrorCode error;
  RequestParser parser;
  set_limits(parser, around_.settings.body_bytes_max);
  if (!problem) {
    feed(parser, arrived_, error);
    if (!error && !parser.is_header_done()) error = http::error::partial_message;
    problem = head_problem(error);
  }
  Request request = plain_head(parser, gate, peer_key_);
  request.peer_address = peer_address(stream_->socket());
  request.peer_is_known = peer_is_known_;
  Reception reception = co_await receive(request, problem);
  request.peer_is_known = peer_is_known_;
  const bool is_held_whole = !reception.refusal && !reception.sink;
  const auto room = is_held_whole ? around_.bodies.take(peer_key_, request.body_bytes) : nullptr;
  if (is_held_whole && !room) reception.refusal = refuse_for_want_of_room(request);
  stream_->limit_steps(step_timeout);
  if (reception.refusal) {
    co_await answer(request, *reception.refusal, false);
    co_return false;
  }
  if (request.expects_continue && arrived_.size() == 0) {
    co_await stream_->write("HTTP/1.1 100 Continue\r\n\r\n", error);
    if (error) co_return false;
  }
  if (reception.body_time_max) stream_->limit_all(*reception.body_time_max);
  co_await read_body(parser, reception.sink.get(), error);
  stream_->limit_steps(step_timeout);
  if (error == asio::error::timed_out) {
    const Error late{Errc::timeout, "The request's body did not come in time."};
    co_await answer(request, around_.handlers.refuse(late, request), false);
  }
  if (error) {
    if (error != asio::error::timed_out) tell_ended_early(request);
    co_return false;
  }
  request.body = std::move(parser.get().body());
  Response response = co_await around_.pool.run<Response>(
      [&] { return reception.sink ? reception.sink->finish() : around_.handlers.handle(request); });
  // A stranger who was refused has no reason to stay.
  const bool is_welcome = peer_is_known_ || response.outcome.empty();
  const bool keep_alive =
      parser.keep_alive() && is_welcome && !around_.stopping && served_ + 1 < requests_per_connection_max;
  const bool is_sent = co_await answer(request, response, keep_alive);
  co_return is_sent&& keep_alive;
}

void HttpSession::tell_ended_early(const Request& request) const {
  if (around_.handlers.tell_ended_early) around_.handlers.tell_ended_early(request);
}

Response HttpSession::refuse_for_want_of_room(const Request& request) {
  around_.turned_away.request();
  return around_.handlers.refuse({Errc::overloaded, {}}, request);
}

// What is to be done with the body, before any of it is read.
asio::awaitable<Reception> HttpSession::receive(const Request& request, const std::optional<Error>& problem) {
  Reception reception;
  if (problem) {
    reception.refusal = around_.handlers.refuse(*problem, request);
  } else if (around_.pool.waiting() >= around_.settings.requests_waiting_max) {
    reception.refusal = refuse_for_want_of_room(request);
  } else {
    reception = co_await around_.pool.run<Reception>([&] { return around_.handlers.receive(request); });
    if (reception.peer_is_known && !std::exchange(peer_is_known_, true)) place_->peer_is_known();
  }
  co_return reception;
}

// Into the parser, or piece by piece into `sink` where there is one.
asio::awaitable<void> HttpSession::read_body(RequestParser& parser, BodySink* sink, ErrorCode& error) {
  std::string& body = parser.get().body();
  while (!parser.is_done() && !error) {
    if (arrived_.size() == 0) {
      const auto room = arrived_.prepare(body_step_bytes);
      arrived_.commit(co_await stream_->read_some(static_cast<char*>(room.data()), room.size(), error));
      if (error) break;
    }
    feed(parser, arrived_, error);
    if (sink == nullptr || body.empty()) continue;
    // With it goes the room that the parser has set aside for all of the body.
    std::string piece;
    piece.swap(body);
    co_await around_.pool.run<bool>([&] {
      sink->take(piece);
      return true;
    });
  }
  if (error && sink != nullptr) {
    co_await around_.pool.run<bool>([&] { return static_cast<bool>(sink->abandon()); });
  }
}

asio::awaitable<bool> HttpSession::answer(const Request& request, const Response& response, bool keep_alive) {
  ErrorCode error;
  // The answer to HEAD ends with its head (RFC 9110 section 9.3.2).
  const bool with_body = request.method != "HEAD";
  std::string bytes = head_of(response, keep_alive) + (with_body ? response.body : std::string());
  std::uint64_t left = with_body && response.source ? response.source->size() : 0;
  co_await stream_->write(bytes, error);
  while (left > 0 && !error) {
    bytes = co_await around_.pool.run<std::string>([&] {
      auto piece = response.source->read();
      return piece ? std::move(*piece) : std::string();
    });
    // Closed before its end, the answer is not taken for whole.
    if (bytes.empty()) co_return false;
    left -= std::min<std::uint64_t>(left, bytes.size());
    co_await stream_->write(bytes, error);
  }
  if (error) tell_ended_early(request);
  co_return !error;
}

}  // namespace fieldsync::server
