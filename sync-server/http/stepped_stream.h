// stepped_stream.h: a TCP stream on which each step has a deadline of its own, below TLS: a link
// that carries a little of a record at a time makes progress, and is not ended.
#pragma once

#include <netinet/tcp.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>
#include <utility>

namespace fieldsync::server {

class SteppedStream : public boost::beast::tcp_stream {
  using Base = boost::beast::tcp_stream;

 public:
  explicit SteppedStream(boost::asio::ip::tcp::socket socket) : Base(std::move(socket)) {}

  // What follows, as a whole, has to be done within this.
  void limit_all(std::chrono::steady_clock::duration time) {
    step_ = {};
    expires_after(time);
  }
  // Each read and write of the socket has to be done within this.
  void limit_steps(std::chrono::steady_clock::duration time) { step_ = time; }

  // A write is done when the peer has taken most of what came before it, and not when there is
  // room in a buffer that a slow link empties in minutes.
  void write_no_more_than_is_taken() {
    ::setsockopt(socket().native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes_max, sizeof unsent_bytes_max);
  }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    begin_step();
    return Base::async_read_some(buffers, std::forward<Token>(token));
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    begin_step();
    return Base::async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  static constexpr int unsent_bytes_max = 8 * 1024;

  void begin_step() {
    if (step_ > std::chrono::steady_clock::duration::zero()) expires_after(step_);
  }

  std::chrono::steady_clock::duration step_{};
};

}  // namespace fieldsync::server
