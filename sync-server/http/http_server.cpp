#include "http/http_server.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <chrono>
#include <list>
#include <mutex>
#include <thread>

#include "http/connection_count.h"
#include "http/peer_address.h"
#include "http/request_head.h"
#include "http/stepped_stream.h"

namespace fieldsync::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<SteppedStream>;

constexpr auto handshake_timeout = std::chrono::seconds(5);
constexpr auto header_timeout = std::chrono::seconds(10);
constexpr auto idle_timeout = std::chrono::seconds(60);
constexpr auto step_timeout = std::chrono::seconds(10);  // each read or write of a part of a body
constexpr auto shutdown_timeout = std::chrono::seconds(2);
constexpr std::size_t read_step_bytes = 4 * 1024;  // of a head
constexpr std::size_t write_step_bytes = 16 * 1024;
constexpr int requests_per_connection_max = 1'000;

std::string peer_key_of(TlsStream& stream) {
  X509* certificate = SSL_get0_peer_certificate(stream.native_handle());
  EVP_PKEY* key = certificate == nullptr ? nullptr : X509_get0_pubkey(certificate);
  if (key == nullptr || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) return {};
  std::string raw(32, '\0');
  std::size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(raw.data()), &size) != 1) return {};
  return raw;
}

// Without the body.
std::string head_of(const Response& response, bool keep_alive) {
  const std::uint64_t body_bytes = response.source ? response.source->size() : response.body.size();
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  const beast::string_view reason = http::obsolete_reason(http::int_to_status(static_cast<unsigned>(response.status)));
  head.append(reason.data(), reason.size());
  head += "\r\nContent-Type: " + response.content_type + "\r\nContent-Length: " + std::to_string(body_bytes);
  head += "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff";
  for (const auto& [name, value] : response.headers) head += "\r\n" + name + ": " + value;
  return head + (keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
}

class Server final : public HttpServer {
 public:
  Server(const HttpSettings& settings, HttpHandlers handlers)
      : settings_(settings),
        handlers_(std::move(handlers)),
        tls_(asio::ssl::context::tls_server),
        acceptor_(io_),
        pool_(settings.blocking_threads),
        count_(settings.connections_max, settings.connections_per_address_max) {}

  ~Server() override { stop(); }

  Result<void> open() {
    error_code error;
    const auto address = asio::ip::make_address(settings_.address, error);
    if (error) return Error{Errc::invalid_argument, "'" + settings_.address + "' is not an IP address to listen on."};
    const tcp::endpoint endpoint(address, settings_.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return Error{Errc::in_use, "Cannot listen on " + settings_.address + ":" + std::to_string(settings_.port) + ": " +
                                     error.message() + "."};
    }
    return configure_tls();
  }

  [[nodiscard]] std::uint16_t port() const override { return acceptor_.local_endpoint().port(); }

  void start() override {
    asio::co_spawn(io_, accept_loop(), asio::detached);
    for (std::size_t i = 0; i < std::max<std::size_t>(settings_.io_threads, 1); ++i) {
      threads_.emplace_back([this] { io_.run(); });
    }
  }

  void stop() override {
    if (stopping_.exchange(true)) return;
    asio::post(io_, [this] {
      error_code ignored;
      acceptor_.close(ignored);
    });
    // Idle connections are closed at once, busy ones after their answer.
    const auto until = std::chrono::steady_clock::now() + shutdown_timeout;
    close_connections(false);
    while (count_.in_all() > 0 && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    close_connections(true);
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    pool_.join();
  }

 private:
  struct Connection {
    std::shared_ptr<TlsStream> stream;
    bool busy = false;
  };
  using ConnectionAt = std::list<Connection>::iterator;

  Result<void> configure_tls() {
    SSL_CTX* context = tls_.native_handle();
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_max_early_data(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    error_code error;
    tls_.use_certificate_chain(asio::buffer(settings_.certificate_pem), error);
    if (!error) tls_.use_private_key(asio::buffer(settings_.private_key_pem), asio::ssl::context::pem, error);
    if (error)
      return Error{Errc::invalid_argument,
                   "The server's key or certificate could not be read: " + error.message() + "."};
    // Any certificate is let in: the handshake proves the key, and the key is
    // what enrolment knows.
    tls_.set_verify_mode(asio::ssl::verify_peer);
    tls_.set_verify_callback([](bool, asio::ssl::verify_context&) { return true; });
    return {};
  }

  asio::awaitable<void> accept_loop() {
    while (!stopping_) {
      error_code error;
      tcp::socket socket(asio::make_strand(io_));
      co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted || stopping_) co_return;
      if (error) {
        // Out of descriptors or memory: wait for some to come back.
        asio::steady_timer timer(io_, std::chrono::milliseconds(100));
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
        continue;
      }
      const auto peer = socket.remote_endpoint(error).address();
      // Closed at once: a handshake would cost what the limit saves.
      if (error || !count_.admit(peer)) continue;
      auto executor = socket.get_executor();
      asio::co_spawn(executor, session(std::move(socket)),
                     [this, peer](const std::exception_ptr&) { count_.leave(peer); });
    }
  }

  asio::awaitable<void> session(tcp::socket socket) {
    error_code error;
    socket.set_option(tcp::no_delay(true), error);
    const auto stream = std::make_shared<TlsStream>(SteppedStream(std::move(socket)), tls_);
    const ConnectionAt connection = remember(stream);
    stream->next_layer().write_no_more_than_is_taken();
    stream->next_layer().limit_all(handshake_timeout);
    co_await stream->async_handshake(asio::ssl::stream_base::server, asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      const std::string peer_key = peer_key_of(*stream);
      beast::flat_buffer buffer;
      int served = 0;
      bool keep_alive = true;
      while (keep_alive && !stopping_) {
        keep_alive = co_await serve_one(*stream, buffer, peer_key, connection, served);
        ++served;
      }
      stream->next_layer().limit_all(shutdown_timeout);
      co_await stream->async_shutdown(asio::redirect_error(asio::use_awaitable, error));
    }
    forget(connection);
  }

  // True where the connection may carry another request.
  asio::awaitable<bool> serve_one(TlsStream& stream, beast::flat_buffer& buffer, const std::string& peer_key,
                                  ConnectionAt connection, int served) {
    error_code error;
    RequestParser parser;
    set_limits(parser, settings_.body_bytes_max);
    HeaderGate gate;
    auto problem = co_await read_head(stream, buffer, gate, served > 0, error);
    if (error) co_return false;
    set_busy(connection, true);
    if (!problem) {
      co_await http::async_read_header(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
      problem = head_problem(error);
    }
    Request request = plain_head(parser, gate, peer_key);
    request.peer_address = peer_address(beast::get_lowest_layer(stream).socket());
    Reception reception;
    if (problem) reception.refusal = handlers_.refuse(*problem, request);
    if (!reception.refusal) reception = co_await on_pool<Reception>([&] { return handlers_.receive(request); });
    stream.next_layer().limit_steps(step_timeout);
    // The answer to HEAD ends with its head (RFC 9110 section 9.3.2).
    const bool with_body = request.method != "HEAD";
    if (reception.refusal) {
      co_await answer(stream, *reception.refusal, with_body, false);
      co_return false;
    }
    if (request.expects_continue && buffer.size() == 0) {
      co_await write(stream, "HTTP/1.1 100 Continue\r\n\r\n", error);
      if (error) co_return false;
    }
    const bool is_whole = co_await read_body(stream, buffer, parser, reception.sink.get());
    if (!is_whole) co_return false;
    request.body = std::move(parser.get().body());
    Response response = co_await on_pool<Response>(
        [&] { return reception.sink ? reception.sink->finish() : handlers_.handle(request); });
    const bool keep_alive = parser.keep_alive() && !stopping_ && served + 1 < requests_per_connection_max;
    const bool sent = co_await answer(stream, response, with_body, keep_alive);
    set_busy(connection, false);
    co_return sent&& keep_alive;
  }

  // All of the head into `buffer`, from its first line on. `error`: the connection ended before. Else, why it is
  // refused.
  // `may_idle`: the connection has served a request, and waits longer for the next one to begin.
  asio::awaitable<std::optional<Error>> read_head(TlsStream& stream, beast::flat_buffer& buffer, HeaderGate& gate,
                                                  bool may_idle, error_code& error) {
    bool is_idle = may_idle && buffer.size() == 0;
    stream.next_layer().limit_all(is_idle ? idle_timeout : header_timeout);
    while (!error) {
      const auto size = gate.look({static_cast<const char*>(buffer.data().data()), buffer.size()});
      if (!size) co_return size.error();
      if (*size) {
        buffer.consume(gate.empty_line_bytes());
        co_return std::nullopt;
      }
      buffer.commit(co_await stream.async_read_some(buffer.prepare(read_step_bytes),
                                                    asio::redirect_error(asio::use_awaitable, error)));
      if (std::exchange(is_idle, false)) stream.next_layer().limit_all(header_timeout);
    }
    co_return std::nullopt;
  }

  // Into the parser, or piece by piece into `sink` where there is one. False where the connection
  // broke before the end.
  asio::awaitable<bool> read_body(TlsStream& stream, beast::flat_buffer& buffer, RequestParser& parser,
                                  BodySink* sink) {
    std::string& body = parser.get().body();
    // The parser has set aside room for all of it.
    if (sink != nullptr) std::string().swap(body);
    error_code error;
    while (!parser.is_done() && !error) {
      co_await http::async_read_some(stream, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
      if (sink == nullptr || body.empty()) continue;
      co_await on_pool<bool>([&] {
        sink->take(body);
        return true;
      });
      body.clear();
    }
    if (error && sink != nullptr) {
      co_await on_pool<bool>([&] { return static_cast<bool>(sink->abandon()); });
    }
    co_return !error;
  }

  // `job` lives until it is done, in the frame of the caller.
  template <typename Outcome, typename Job>
  asio::awaitable<Outcome> on_pool(const Job& job) {
    const auto body = [&]() -> asio::awaitable<Outcome> { co_return job(); };
    co_return co_await asio::co_spawn(pool_.get_executor(), body, asio::use_awaitable);
  }

  asio::awaitable<bool> answer(TlsStream& stream, const Response& response, bool with_body, bool keep_alive) {
    error_code error;
    std::string bytes = head_of(response, keep_alive) + (with_body ? response.body : std::string());
    std::uint64_t left = with_body && response.source ? response.source->size() : 0;
    co_await write(stream, bytes, error);
    while (left > 0 && !error) {
      bytes = co_await on_pool<std::string>([&] {
        auto piece = response.source->read();
        return piece ? std::move(*piece) : std::string();
      });
      // Closed before its end, the answer is not taken for whole.
      if (bytes.empty()) co_return false;
      left -= std::min<std::uint64_t>(left, bytes.size());
      co_await write(stream, bytes, error);
    }
    co_return !error;
  }

  // `bytes` live in the frame of the caller.
  asio::awaitable<void> write(TlsStream& stream, std::string_view bytes, error_code& error) {
    while (!bytes.empty() && !error) {
      const auto step = asio::buffer(bytes.data(), std::min(write_step_bytes, bytes.size()));
      bytes.remove_prefix(co_await asio::async_write(stream, step, asio::redirect_error(asio::use_awaitable, error)));
    }
  }

  ConnectionAt remember(std::shared_ptr<TlsStream> stream) {
    const std::lock_guard lock(mutex_);
    return connections_.insert(connections_.end(), Connection{std::move(stream), false});
  }

  void forget(ConnectionAt connection) {
    const std::lock_guard lock(mutex_);
    connections_.erase(connection);
  }

  void set_busy(ConnectionAt connection, bool busy) {
    const std::lock_guard lock(mutex_);
    connection->busy = busy;
  }

  void close_connections(bool busy_too) {
    const std::lock_guard lock(mutex_);
    for (const Connection& connection : connections_) {
      if (connection.busy && !busy_too) continue;
      asio::post(connection.stream->get_executor(), [stream = connection.stream] {
        error_code ignored;
        beast::get_lowest_layer(*stream).socket().close(ignored);
      });
    }
  }

  HttpSettings settings_;
  HttpHandlers handlers_;
  asio::io_context io_;
  asio::ssl::context tls_;
  tcp::acceptor acceptor_;
  asio::thread_pool pool_;
  std::atomic<bool> stopping_ = false;
  ConnectionCount count_;
  std::mutex mutex_;
  std::list<Connection> connections_;
  std::vector<std::thread> threads_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const HttpSettings& settings, HttpHandlers handlers) {
  auto server = std::make_unique<Server>(settings, std::move(handlers));
  if (auto opened = server->open(); !opened) return opened.error();
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace fieldsync::server
