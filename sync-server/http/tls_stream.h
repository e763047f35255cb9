// tls_stream.h: the server's end of one TLS connection, with a deadline on each wait.
//
// OpenSSL reads and writes the socket itself and gives its buffers back, so that a connection that
// waits holds none: Asio's own stream keeps 34 KiB for each.
//
// Threads  The one that runs the socket's executor; one call at a time, and stop() at any time.
// Errors   timed_out: at a deadline. After one of a read, an answer may still be written; after any other error
//          nothing more may be read or written.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/tls_context.h"

namespace fieldsync::server {

// Held by a shared_ptr.
class TlsStream : public std::enable_shared_from_this<TlsStream> {
 public:
  using Clock = std::chrono::steady_clock;
  using ErrorCode = boost::system::error_code;

  // Throws std::bad_alloc.
  TlsStream(boost::asio::ip::tcp::socket socket, const TlsContext& context);

  // What follows, as a whole, has to be done within this.
  void limit_all(Clock::duration time);
  // Each wait for the peer has to end within this: a link that carries a little of a record at a time
  // makes progress, and is not ended.
  void limit_steps(Clock::duration time) { step_ = time; }

  boost::asio::awaitable<void> handshake(ErrorCode& error);
  // Until something can be read; holds no buffer meanwhile.
  boost::asio::awaitable<void> wait_for_input(ErrorCode& error);
  // At least one byte, or an error.
  boost::asio::awaitable<std::size_t> read_some(char* into, std::size_t bytes_max, ErrorCode& error);
  // All of them. They live until it is done.
  boost::asio::awaitable<void> write(std::string_view bytes, ErrorCode& error);
  // Says that no more comes, and reads what is under way, so that the peer gets to read the last answer: a
  // socket that is closed over unread bytes resets the connection. Waits for nobody who was too slow before.
  boost::asio::awaitable<void> end();

  // Ends every wait, now and later. The descriptor stays taken until the stream is destroyed.
  void stop();

  // The Ed25519 key that the handshake proved, 32 bytes; empty without one.
  [[nodiscard]] std::string peer_key() const;
  [[nodiscard]] const boost::asio::ip::tcp::socket& socket() const { return socket_; }
  [[nodiscard]] auto get_executor() { return socket_.get_executor(); }

 private:
  // What OpenSSL asks for after `outcome`, or why there is no more.
  boost::asio::awaitable<void> settle(int outcome, ErrorCode& error);
  boost::asio::awaitable<void> wait(boost::asio::ip::tcp::socket::wait_type what, ErrorCode& error);
  void start_timer();

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  Clock::duration step_{};
  Clock::time_point until_ = Clock::time_point::max();
  bool is_broken_ = false;
  bool is_too_slow_ = false;
  bool is_stopped_ = false;
};

}  // namespace fieldsync::server
