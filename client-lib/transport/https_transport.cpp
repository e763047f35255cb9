#include "transport/https_transport.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "transport/pace.h"
#include "transport/tcp_state.h"

namespace fieldsync::transport {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using engine::HttpReply;

constexpr auto step_timeout = std::chrono::seconds(30);
constexpr std::size_t write_step_bytes = 64 * 1024;
// Of a long body: one TLS record, which a slow link carries well within a step's time.
constexpr std::size_t long_write_step_bytes = 4 * 1024;
constexpr auto room_looked_at_every = std::chrono::milliseconds(5);
using Clock = std::chrono::steady_clock;
constexpr std::size_t reply_body_bytes_max = 64 * 1024 * 1024;

// Counts what travels, below TLS.
class CountingPolicy {
 public:
  std::atomic<std::uint64_t>* up = nullptr;
  std::atomic<std::uint64_t>* down = nullptr;

 private:
  friend class beast::rate_policy_access;
  static std::size_t available_read_bytes() { return SIZE_MAX; }
  static std::size_t available_write_bytes() { return SIZE_MAX; }
  void transfer_read_bytes(std::size_t n) const { *down += n; }
  void transfer_write_bytes(std::size_t n) const { *up += n; }
  static void on_timer() {}
};

using TcpStream = beast::basic_stream<asio::ip::tcp, asio::any_io_executor, CountingPolicy>;
using TlsStream = asio::ssl::stream<TcpStream>;

core::Milliseconds milliseconds_of(Clock::time_point at) {
  return {std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count()};
}

// What came is not HTTP, or larger than any answer of a server may be: trying again brings the same.
bool is_no_answer(const error_code& error) {
  return error.category() == http::make_error_code(http::error::bad_version).category() &&
         error != http::error::partial_message && error != http::error::end_of_stream;
}

// What a thread had on its stack stays in memory when it has ended.
[[gnu::noinline]] void overwrite_stack() {
  std::array<unsigned char, 64 * 1024> stack;
  OPENSSL_cleanse(stack.data(), stack.size());
}

class HttpsTransport final : public engine::Transport {
 public:
  explicit HttpsTransport(const HttpsSettings& settings)
      : settings_(settings), tls_(asio::ssl::context::tls_client), work_(asio::make_work_guard(io_)) {
    SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_3_VERSION);
    tls_.use_certificate(asio::buffer(settings_.certificate_pem), asio::ssl::context::pem);
    tls_.use_private_key(asio::buffer(settings_.private_key_pem), asio::ssl::context::pem);
    tls_.set_verify_mode(asio::ssl::verify_peer);
    tls_.set_verify_callback([this](bool, asio::ssl::verify_context& context) { return is_pinned(context); });
    const std::size_t colon = settings_.address.rfind(':');
    host_ = settings_.address.substr(0, colon);
    port_ = colon == std::string::npos ? "" : settings_.address.substr(colon + 1);
    thread_ = std::thread([this] {
      io_.run();
      overwrite_stack();
    });
  }

  ~HttpsTransport() override {
    cancel();
    work_.reset();
    thread_.join();
  }

  void start(engine::HttpRequest request) override {
    {
      const std::lock_guard lock(mutex_);
      result_.reset();
      underway_ = {};
    }
    asio::co_spawn(
        io_, [this, request = std::move(request)]() { return run(request); },
        [this](const std::exception_ptr& thrown) {
          if (thrown) finish(Error{Errc::connection_lost, {}});
        });
  }

  Result<HttpReply> wait() override {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return result_.has_value(); });
    return *result_;
  }

  bool wait_for(core::Milliseconds span) override {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, std::chrono::milliseconds(span.count), [this] { return result_.has_value(); });
  }

  engine::Underway underway() override {
    const std::lock_guard lock(mutex_);
    return std::exchange(underway_, {underway_.sent, underway_.status, {}});
  }

  void cancel() override {
    cancelled_ = true;
    asio::post(io_, [this] {
      if (stream_) beast::get_lowest_layer(*stream_).cancel();
      if (resolver_) resolver_->cancel();
    });
  }

  [[nodiscard]] engine::WireBytes wire_bytes() const override { return {up_, down_}; }
  [[nodiscard]] CertificateFlaw certificate_flaw() const override { return flaw_; }

 private:
  // Only the key counts: SHA-256 of the SubjectPublicKeyInfo (RFC 7469 section 2.4).
  bool is_pinned(asio::ssl::verify_context& context) {
    X509* certificate = X509_STORE_CTX_get0_cert(context.native_handle());
    if (certificate == nullptr) return false;
    unsigned char* encoded = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoded);
    if (size <= 0) return false;
    std::string pin(SHA256_DIGEST_LENGTH, '\0');
    SHA256(encoded, static_cast<std::size_t>(size), reinterpret_cast<unsigned char*>(pin.data()));
    OPENSSL_free(encoded);
    const bool known = std::find(settings_.pins.begin(), settings_.pins.end(), pin) != settings_.pins.end();
    untrusted_ = !known;
    return known;
  }

  // Of the certificate of a server with the right key.
  [[nodiscard]] CertificateFlaw flaw_of(X509* certificate) const {
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) return CertificateFlaw::ended;
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) return CertificateFlaw::not_begun;
    const bool is_named = X509_check_host(certificate, host_.data(), host_.size(), 0, nullptr) == 1 ||
                          X509_check_ip_asc(certificate, host_.c_str(), 0) == 1;
    return is_named ? CertificateFlaw::none : CertificateFlaw::other_name;
  }

  asio::awaitable<void> run(const engine::HttpRequest& request) {
    const bool reused = stream_.has_value();
    Result<HttpReply> result = co_await exchange(request);
    // The server may have closed an idle connection: that says nothing yet.
    const bool stale = reused && !result && result.error().code == Errc::connection_lost && !reply_began_;
    if (stale && !cancelled_ && !request.is_long) result = co_await exchange(request);
    finish(std::move(result));
  }

  asio::awaitable<Result<HttpReply>> exchange(const engine::HttpRequest& request) {
    reply_began_ = false;
    if (cancelled_) co_return Error{Errc::cancelled, {}};
    if (!stream_) {
      Result<void> connected = co_await connect();
      if (!connected) {
        stream_.reset();
        co_return failure(connected.error());
      }
    }
    Result<HttpReply> reply = co_await talk(request);
    if (!reply) stream_.reset();
    co_return reply ? std::move(reply) : Result<HttpReply>(failure(reply.error()));
  }

  [[nodiscard]] Error failure(const Error& error) const { return cancelled_ ? Error{Errc::cancelled, {}} : error; }

  asio::awaitable<Result<void>> connect() {
    error_code error;
    const auto timeout = std::chrono::milliseconds(settings_.connect_timeout_ms);
    resolver_.emplace(io_);
    const auto endpoints =
        co_await resolver_->async_resolve(host_, port_, asio::redirect_error(asio::use_awaitable, error));
    if (error)
      co_return Error{Errc::offline, "The server's address " + settings_.address +
                                         " could not be found. Everything stays saved here."};
    // What was cancelled meanwhile found nothing to cancel.
    if (cancelled_) co_return Error{Errc::cancelled, {}};
    stream_.emplace(io_, tls_);
    pace_ = {};
    auto& socket = beast::get_lowest_layer(*stream_);
    socket.rate_policy().up = &up_;
    socket.rate_policy().down = &down_;
    socket.expires_after(timeout);
    co_await socket.async_connect(endpoints, asio::redirect_error(asio::use_awaitable, error));
    if (error)
      co_return Error{Errc::offline,
                      "The server at " + settings_.address + " cannot be reached. Everything stays saved here."};
    if (cancelled_) co_return Error{Errc::cancelled, {}};
    socket.socket().set_option(asio::ip::tcp::no_delay(true), error);
    // SSL_set_tlsext_host_name, whose macro casts in C's manner.
    SSL_ctrl(stream_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host_.data());
    socket.expires_after(timeout);
    untrusted_ = false;
    co_await stream_->async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
    if (untrusted_) co_return Error{Errc::server_untrusted, {}};
    if (!error) flaw_ = flaw_of(SSL_get0_peer_certificate(stream_->native_handle()));
    if (error)
      co_return Error{Errc::connection_lost,
                      "No secure connection with " + settings_.address + " came about (" + error.message() + ")."};
    co_return Result<void>();
  }

  [[nodiscard]] std::string head_of(const engine::HttpRequest& request) const {
    std::string head = request.method + " " + request.path + " HTTP/1.1\r\nHost: " + settings_.address +
                       "\r\nAccept: application/x-protobuf\r\n";
    if (!request.range.empty()) head += "Range: " + request.range + "\r\n";
    if (request.method == "GET") return head + "\r\n";
    return head + "Content-Type: " + request.content_type +
           "\r\nContent-Length: " + std::to_string(request.body.size()) + "\r\n\r\n";
  }

  // Waits until so little is under way that little is lost where the connection breaks.
  asio::awaitable<Result<void>> wait_for_room() {
    auto& socket = beast::get_lowest_layer(*stream_).socket();
    asio::steady_timer timer(io_);
    std::uint64_t least_under_way = UINT64_MAX;
    auto last_progress = Clock::now();
    while (socket.is_open() && !cancelled_) {
      const auto now = Clock::now();
      const auto under_way = bytes_on_the_way(socket.native_handle());
      // The next write says what became of it.
      if (!under_way) co_return Result<void>();
      pace_.observe(milliseconds_of(now), up_, under_way->bytes, under_way->shortest_round_trip);
      if (under_way->bytes <= pace_.under_way_max()) co_return Result<void>();
      if (under_way->bytes < least_under_way) last_progress = now;
      least_under_way = std::min(least_under_way, under_way->bytes);
      if (now - last_progress > step_timeout) break;
      error_code error;
      timer.expires_after(room_looked_at_every);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
    co_return Error{Errc::connection_lost, {}};
  }

  asio::awaitable<Result<void>> write(std::string_view bytes, std::size_t step_bytes, bool is_body) {
    error_code error;
    for (std::size_t sent = 0; sent < bytes.size();) {
      if (is_body) {
        auto room = co_await wait_for_room();
        if (!room) co_return room;
      }
      beast::get_lowest_layer(*stream_).expires_after(step_timeout);
      const auto step = asio::buffer(bytes.data() + sent, std::min(step_bytes, bytes.size() - sent));
      sent += co_await asio::async_write(*stream_, step, asio::redirect_error(asio::use_awaitable, error));
      if (error || cancelled_) co_return Error{Errc::connection_lost, {}};
      if (!is_body) continue;
      const std::lock_guard lock(mutex_);
      underway_.sent = sent;
    }
    co_return Result<void>();
  }

  asio::awaitable<Result<HttpReply>> talk(const engine::HttpRequest& request) {
    std::string head = head_of(request);
    // One write for both where they are short: one packet, one TLS record.
    if (!request.is_long) head += request.body;
    Result<void> written = co_await write(head, write_step_bytes, false);
    if (written && request.is_long) written = co_await write(request.body, long_write_step_bytes, true);
    if (!written) co_return written.error();
    error_code error;
    auto& socket = beast::get_lowest_layer(*stream_);
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(reply_body_bytes_max);
    while (!parser.is_done()) {
      socket.expires_after(step_timeout);
      const std::size_t got =
          co_await http::async_read_some(*stream_, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
      reply_began_ = reply_began_ || got > 0;
      if (request.method == "GET" && parser.is_header_done()) hand_over(parser.get());
      if (is_no_answer(error)) co_return Error{Errc::incompatible_server, {}};
      if (error || (cancelled_ && !parser.is_done())) co_return Error{Errc::connection_lost, {}};
    }
    socket.expires_never();
    if (!parser.get().has_content_length()) co_return Error{Errc::incompatible_server, {}};
    HttpReply reply{
        static_cast<int>(parser.get().result_int()), std::string(parser.get()[http::field::content_type]), {}};
    const bool keep_alive = parser.keep_alive();
    reply.body = std::move(parser.get().body());
    if (!keep_alive) stream_.reset();
    co_return reply;
  }

  // What arrived of an attachment is worth keeping before the rest comes.
  void hand_over(http::response<http::string_body>& reply) {
    const std::lock_guard lock(mutex_);
    underway_.status = static_cast<int>(reply.result_int());
    if (underway_.status != 200 && underway_.status != 206) return;
    underway_.received += reply.body();
    reply.body().clear();
  }

  void finish(Result<HttpReply> result) {
    {
      const std::lock_guard lock(mutex_);
      result_.emplace(std::move(result));
    }
    arrived_.notify_all();
  }

  HttpsSettings settings_;
  std::string host_;
  std::string port_;
  asio::io_context io_;
  asio::ssl::context tls_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  std::optional<TlsStream> stream_;
  Pace pace_;  // of this connection, over its requests
  std::optional<asio::ip::tcp::resolver> resolver_;
  bool untrusted_ = false;
  bool reply_began_ = false;
  std::atomic<bool> cancelled_ = false;
  std::atomic<CertificateFlaw> flaw_ = CertificateFlaw::none;
  std::atomic<std::uint64_t> up_ = 0;
  std::atomic<std::uint64_t> down_ = 0;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<Result<HttpReply>> result_;
  engine::Underway underway_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<engine::Transport> make_https_transport(const HttpsSettings& settings) {
  return std::make_unique<HttpsTransport>(settings);
}

}  // namespace fieldsync::transport
