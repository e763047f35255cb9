#include "http/tls_stream.h"

#include <netinet/tcp.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <new>

namespace fieldsync::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t record_bytes = 16 * 1024;  // the largest of TLS
constexpr std::size_t passed_over_bytes_max = 256 * 1024;
constexpr int unsent_bytes_max = 8 * 1024;

// A write is done when the peer has taken most of what came before it, and not when there is
// room in a buffer that a slow link empties in minutes.
void write_no_more_than_is_taken(tcp::socket& socket) {
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes_max, sizeof unsent_bytes_max);
}

}  // namespace

TlsStream::TlsStream(tcp::socket socket, const TlsContext& context)
    : socket_(std::move(socket)), timer_(socket_.get_executor()), ssl_(SSL_new(context.get()), SSL_free) {
  ErrorCode ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  write_no_more_than_is_taken(socket_);
  if (ssl_ == nullptr || SSL_set_fd(ssl_.get(), socket_.native_handle()) != 1) throw std::bad_alloc();
  SSL_set_accept_state(ssl_.get());
}

void TlsStream::limit_all(Clock::duration time) {
  step_ = {};
  until_ = Clock::now() + time;
}

asio::awaitable<void> TlsStream::handshake(ErrorCode& error) {
  error.clear();
  while (!error) {
    // The queue is the thread's, and other connections leave their errors in it.
    ERR_clear_error();
    const int outcome = SSL_do_handshake(ssl_.get());
    if (outcome == 1) co_return;
    co_await settle(outcome, error);
  }
}

asio::awaitable<void> TlsStream::wait_for_input(ErrorCode& error) {
  error.clear();
  if (SSL_has_pending(ssl_.get()) != 1) co_await wait(tcp::socket::wait_read, error);
}

asio::awaitable<std::size_t> TlsStream::read_some(char* into, std::size_t bytes_max, ErrorCode& error) {
  error.clear();
  while (!error) {
    std::size_t read = 0;
    ERR_clear_error();
    const int outcome = SSL_read_ex(ssl_.get(), into, bytes_max, &read);
    if (outcome == 1) co_return read;
    co_await settle(outcome, error);
  }
  co_return 0;
}

asio::awaitable<void> TlsStream::write(std::string_view bytes, ErrorCode& error) {
  error.clear();
  while (!bytes.empty() && !error) {
    std::size_t written = 0;
    ERR_clear_error();
    const int outcome = SSL_write_ex(ssl_.get(), bytes.data(), std::min(record_bytes, bytes.size()), &written);
    if (outcome != 1) {
      co_await settle(outcome, error);
      continue;
    }
    bytes.remove_prefix(written);
    // Other connections of this thread go on between the records of a long answer.
    if (!bytes.empty()) co_await asio::post(socket_.get_executor(), asio::use_awaitable);
  }
}

asio::awaitable<void> TlsStream::end() {
  if (is_broken_ || is_stopped_) co_return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  if (is_too_slow_) co_return;
  ErrorCode error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  std::array<char, 1024> passed_over;
  for (std::size_t bytes = 0; !error && bytes < passed_over_bytes_max;) {
    const std::size_t count = socket_.read_some(asio::buffer(passed_over), error);
    bytes += count;
    if (error == asio::error::would_block) co_await wait(tcp::socket::wait_read, error);
  }
}

void TlsStream::stop() {
  is_stopped_ = true;
  ErrorCode ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.cancel(ignored);
}

std::string TlsStream::peer_key() const {
  X509* certificate = SSL_get0_peer_certificate(ssl_.get());
  EVP_PKEY* key = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
  if (key == nullptr || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) return {};
  std::string raw(32, '\0');
  std::size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size) != 1) return {};
  return raw;
}

asio::awaitable<void> TlsStream::settle(int outcome, ErrorCode& error) {
  switch (SSL_get_error(ssl_.get(), outcome)) {
    case SSL_ERROR_WANT_READ: co_await wait(tcp::socket::wait_read, error); break;
    case SSL_ERROR_WANT_WRITE: co_await wait(tcp::socket::wait_write, error); break;
    case SSL_ERROR_ZERO_RETURN: error = asio::error::eof; break;
    default: is_broken_ = true; error = asio::error::connection_reset;
  }
}

asio::awaitable<void> TlsStream::wait(tcp::socket::wait_type what, ErrorCode& error) {
  if (is_stopped_) {
    error = asio::error::operation_aborted;
    co_return;
  }
  if (step_ > Clock::duration::zero()) until_ = Clock::now() + step_;
  start_timer();
  co_await socket_.async_wait(what, asio::redirect_error(asio::use_awaitable, error));
  timer_.cancel();
  if (Clock::now() < until_) co_return;
  is_too_slow_ = true;
  error = asio::error::timed_out;
}

void TlsStream::start_timer() {
  timer_.expires_at(until_);
  timer_.async_wait([weak = weak_from_this()](const ErrorCode& cancelled) {
    const auto stream = weak.lock();
    // It may have been due when the wait ended, and another one begun.
    if (cancelled || stream == nullptr || Clock::now() < stream->until_) return;
    ErrorCode ignored;
    stream->socket_.cancel(ignored);
  });
}

}  // namespace fieldsync::server
