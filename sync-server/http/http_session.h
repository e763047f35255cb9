// http_session.h: one connection: its handshake, and its requests one after another.
//
// Threads  Everything runs on the I/O thread, except is_busy().
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/blocking_pool.h"
#include "http/body_room.h"
#include "http/connection_count.h"
#include "http/http_server.h"
#include "http/request_head.h"
#include "http/tls_stream.h"
#include "http/turned_away.h"

namespace fieldsync::server {

// What all connections share. It outlives them.
struct Surroundings {
  const HttpSettings& settings;
  const HttpHandlers& handlers;
  BlockingPool& pool;
  BodyRoom& bodies;
  TurnedAwayCount& turned_away;
  const std::atomic<bool>& stopping;
};

class HttpSession {
 public:
  using Place = std::unique_ptr<ConnectionCount::Place>;

  HttpSession(std::shared_ptr<TlsStream> stream, Place place, const Surroundings& around)
      : stream_(std::move(stream)), place_(std::move(place)), around_(around) {}

  // Until the connection ends. The session outlives it.
  boost::asio::awaitable<void> run();

  [[nodiscard]] const std::shared_ptr<TlsStream>& stream() const { return stream_; }
  // As the handshake proved it; empty before that, and without one. On the I/O thread.
  [[nodiscard]] const std::string& peer_key() const { return peer_key_; }
  // Whether a request is being answered.
  [[nodiscard]] bool is_busy() const { return is_busy_; }

 private:
  using ErrorCode = TlsStream::ErrorCode;

  boost::asio::awaitable<std::optional<Error>> read_head(HeaderGate& gate, ErrorCode& error);
  boost::asio::awaitable<bool> serve(const HeaderGate& gate, std::optional<Error> problem);
  void tell_ended_early(const Request& request) const;
  Response refuse_for_want_of_room(const Request& request);
  boost::asio::awaitable<Reception> receive(const Request& request, const std::optional<Error>& problem);
  boost::asio::awaitable<void> read_body(RequestParser& parser, BodySink* sink, ErrorCode& error);
  boost::asio::awaitable<bool> answer(const Request& request, const Response& response, bool keep_alive);

  std::shared_ptr<TlsStream> stream_;
  Place place_;
  const Surroundings& around_;
  boost::beast::flat_buffer arrived_;  // and not read yet
  std::string peer_key_;
  bool peer_is_known_ = false;
  int served_ = 0;
  std::atomic<bool> is_busy_ = false;
};

}  // namespace fieldsync::server
