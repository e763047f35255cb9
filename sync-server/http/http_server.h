// http_server.h: HTTP/1.1 over TLS 1.3. Knows no business: a handler gets each request, whole or
// as its body arrives, on a thread of the blocking pool.
//
// Deadlines stand on every wait. Nothing that one connection does ends another, or the server. Framing that could be
// read in two ways is refused and the connection closed (RFC 9112 sections 6.1 and 6.3).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "http/message.h"
#include "http/turned_away.h"

namespace fieldsync::server {

struct HttpSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8443;  // 0: any free one
  std::string private_key_pem;
  std::string certificate_pem;
  std::size_t blocking_threads = 8;
  std::size_t connections_max = 5'000;
  std::size_t connections_per_address_max = 500;  // connection_count.h says what an address is
  // Of these, before a request of somebody known came; of all connections half. Beyond it the first goes.
  std::size_t strangers_per_address_max = 50;
  // Requests that wait for a blocking thread; those that come then are refused with `overloaded`.
  std::size_t requests_waiting_max = 256;
  std::size_t body_bytes_max = 2 * 1024 * 1024;
  // Of bodies that are held whole and under way; those that come then are refused with `overloaded`.
  std::size_t body_bytes_in_all_max = 256 * 1024 * 1024;
  std::size_t body_bytes_of_one_peer_max = 64 * 1024 * 1024;
  std::chrono::milliseconds turned_away_told_every = std::chrono::minutes(1);
};

// Who answers. None of them should throw, and no sink or source: that ends the connection without an answer.
struct HttpHandlers {
  // What is to be done with a request's body, from its head alone.
  std::function<Reception(const Request& head)> receive;
  // Of a request whose body was held whole.
  std::function<Response(const Request&)> handle;
  // What the HTTP layer itself refuses.
  std::function<Response(const Error&, const Request&)> refuse;
  // The connection ended within a request's body, or within its answer. On the I/O thread; may be empty.
  std::function<void(const Request&)> tell_ended_early{};
  // From time to time, where there were any, and before the end; one call at a time. May be empty.
  std::function<void(const TurnedAway&)> tell_turned_away{};
};

class HttpServer {
 public:
  // Listens; serves from start() on. invalid_argument: the address is none, or key and certificate do not fit.
  // in_use: it cannot be had.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(const HttpSettings& settings, HttpHandlers handlers);
  virtual ~HttpServer() = default;

  [[nodiscard]] virtual std::uint16_t port() const = 0;
  // For connections from now on; those that are open keep theirs. Threads: any.
  // invalid_argument: they cannot be read, or do not belong together; nothing has changed then.
  [[nodiscard]] virtual Result<void> use_certificate(const std::string& private_key_pem,
                                                     const std::string& certificate_pem) = 0;
  // Ends every connection whose handshake proved this key, whatever is under way on it. Threads: any.
  virtual void end_connections_of(const std::string& peer_key) = 0;
  virtual void start() = 0;
  // Stops accepting, lets running requests end (2 s), closes the rest, returns
  // when nothing runs any more.
  virtual void stop() = 0;
};

}  // namespace fieldsync::server
