#include "http/http_server.h"

#include <signal.h>

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <list>
#include <mutex>
#include <thread>

#include "http/blocking_pool.h"
#include "http/body_room.h"
#include "http/connection_count.h"
#include "http/http_session.h"
#include "http/tls_context.h"

namespace fieldsync::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto stop_timeout = std::chrono::seconds(2);
constexpr auto pause_without_resources = std::chrono::milliseconds(100);

// OpenSSL writes with write(2): on a connection that the peer has reset, that is a signal.
void block_broken_pipes() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

class Server final : public HttpServer {
 public:
  Server(const HttpSettings& settings, HttpHandlers handlers)
      : settings_(settings),
        handlers_(std::move(handlers)),
        pool_(settings.blocking_threads),
        count_({settings.connections_max, settings.connections_per_address_max, (settings.connections_max + 1) / 2,
                settings.strangers_per_address_max}),
        acceptor_(io_),
        telling_(io_) {}

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
    return use_certificate(settings_.private_key_pem, settings_.certificate_pem);
  }

  [[nodiscard]] std::uint16_t port() const override { return acceptor_.local_endpoint().port(); }

  Result<void> use_certificate(const std::string& private_key_pem, const std::string& certificate_pem) override {
    auto made = make_tls_context(private_key_pem, certificate_pem);
    if (!made) return made.error();
    const std::lock_guard lock(mutex_);
    tls_ = std::move(*made);
    return {};
  }

  void end_connections_of(const std::string& peer_key) override {
    // There, because sessions learn their peer's key there.
    asio::post(io_, [this, peer_key] {
      const std::lock_guard lock(mutex_);
      for (const auto& session : sessions_)
        if (session->peer_key() == peer_key) session->stream()->stop();
    });
  }

  void start() override {
    keep_running(&Server::accept_loop);
    keep_running(&Server::tell_loop);
    thread_ = std::thread([this] { run_io(); });
  }

  void stop() override {
    if (stopping_.exchange(true)) return;
    asio::post(io_, [this] {
      error_code ignored;
      acceptor_.close(ignored);
      telling_.cancel();
    });
    // Idle connections are closed at once, busy ones after their answer.
    const auto until = std::chrono::steady_clock::now() + stop_timeout;
    close_connections(false);
    while (count_.in_all() > 0 && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    close_connections(true);
    if (thread_.joinable()) thread_.join();
    pool_.join();
    tell_turned_away();
  }

 private:
  using Sessions = std::list<std::shared_ptr<HttpSession>>;

  // A session among those that stop() and end_connections_of() look through, for as long as this lives.
  class Listed {
   public:
    Listed(Server& server, std::shared_ptr<HttpSession> session)
        : server_(server), at_(server.remember(std::move(session))) {}
    ~Listed() { server_.forget(at_); }
    Listed(const Listed&) = delete;
    Listed& operator=(const Listed&) = delete;

    [[nodiscard]] HttpSession& session() const { return **at_; }

   private:
    Server& server_;
    Sessions::iterator at_;
  };

  // What a handler of Asio's throws, for want of memory, ends that handler and no other.
  void run_io() {
    block_broken_pipes();
    while (true) {
      try {
        io_.run();
        return;
      } catch (const std::exception&) {
        continue;
      }
    }
  }

  using Loop = asio::awaitable<void> (Server::*)();

  // A server that stops accepting looks alive and is not: what ends a loop begins it anew.
  void keep_running(Loop loop) {
    const auto go_on = [this, loop](const std::exception_ptr& thrown) {
      if (thrown && !stopping_) keep_running(loop);
    };
    while (true) {
      try {
        asio::co_spawn(io_, (this->*loop)(), go_on);
        return;
      } catch (const std::exception&) {
        std::this_thread::sleep_for(pause_without_resources);
      }
    }
  }

  asio::awaitable<void> accept_loop() {
    while (!stopping_) {
      error_code error;
      tcp::socket socket(io_);
      co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
      if (error == asio::error::operation_aborted || stopping_) co_return;
      if (!error) {
        take(std::move(socket));
        continue;
      }
      // Out of descriptors or memory: wait for some to come back.
      asio::steady_timer timer(io_, pause_without_resources);
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
    }
  }

  void take(tcp::socket socket) {
    error_code error;
    const auto peer = socket.remote_endpoint(error).address();
    if (error) return;
    try {
      // Closed at once where there is none: a handshake would cost what the limit saves.
      auto place = count_.admit(peer);
      place ? begin(std::move(socket), std::move(place)) : turned_away_.connection();
    } catch (const std::exception&) {
      turned_away_.connection();
    }
  }

  void begin(tcp::socket socket, HttpSession::Place place) {
    auto stream = std::make_shared<TlsStream>(std::move(socket), tls());
    place->ends_by([this, weak = std::weak_ptr(stream)] {
      turned_away_.connection();
      if (const auto ended = weak.lock()) ended->stop();
    });
    const auto listed =
        std::make_shared<Listed>(*this, std::make_shared<HttpSession>(std::move(stream), std::move(place), around_));
    // Whatever the session throws ends it alone.
    asio::co_spawn(io_, listed->session().run(), [listed](const std::exception_ptr&) {});
  }

  asio::awaitable<void> tell_loop() {
    while (!stopping_) {
      error_code error;
      telling_.expires_after(settings_.turned_away_told_every);
      co_await telling_.async_wait(asio::redirect_error(asio::use_awaitable, error));
      tell_turned_away();
    }
  }

  void tell_turned_away() {
    const TurnedAway turned_away = turned_away_.take();
    if (handlers_.tell_turned_away && turned_away != TurnedAway()) handlers_.tell_turned_away(turned_away);
  }

  TlsContext tls() {
    const std::lock_guard lock(mutex_);
    return tls_;
  }

  Sessions::iterator remember(std::shared_ptr<HttpSession> session) {
    const std::lock_guard lock(mutex_);
    return sessions_.insert(sessions_.end(), std::move(session));
  }

  void forget(Sessions::iterator at) {
    // Destroyed after the lock.
    std::shared_ptr<HttpSession> last;
    const std::lock_guard lock(mutex_);
    last = std::move(*at);
    sessions_.erase(at);
  }

  void close_connections(bool busy_too) {
    const std::lock_guard lock(mutex_);
    for (const auto& session : sessions_) {
      if (session->is_busy() && !busy_too) continue;
      asio::post(session->stream()->get_executor(), [stream = session->stream()] { stream->stop(); });
    }
  }

  HttpSettings settings_;
  HttpHandlers handlers_;
  BlockingPool pool_;
  std::atomic<bool> stopping_ = false;
  ConnectionCount count_;
  TurnedAwayCount turned_away_;
  BodyRoom bodies_{{settings_.body_bytes_in_all_max, settings_.body_bytes_of_one_peer_max}};
  Surroundings around_{settings_, handlers_, pool_, bodies_, turned_away_, stopping_};
  std::mutex mutex_;
  TlsContext tls_;
  Sessions sessions_;
  asio::io_context io_;
  tcp::acceptor acceptor_;
  asio::steady_timer telling_;
  // The only one that runs io_: what runs there is never interrupted by other of it.
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const HttpSettings& settings, HttpHandlers handlers) {
  auto server = std::make_unique<Server>(settings, std::move(handlers));
  if (auto opened = server->open(); !opened) return opened.error();
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace fieldsync::server
