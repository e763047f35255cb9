// session_fuzz.cpp: a whole session with the real server: TLS, HTTP, the router, the
// service and its store. The bytes are what an enrolled device sends after the
// handshake; it reads the answers and hangs up.
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <csignal>

#include <memory>
#include <string>

#include "engine/enrolment_text.h"
#include "fuzz/must_hold.h"
#include "fuzz/target.h"
#include "handlers/problem.h"
#include "http/http_server.h"
#include "service/enrolment.h"
#include "sim/chance.h"
#include "sim/disk/simulated_vfs.h"
#include "sim/team/office.h"
#include "tls/key_pair.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;

// An office that listens, and a device that it knows.
class Server {
 public:
  Server()
      : vfs_([chance = std::make_shared<sim::Chance>(1)] { return chance->next(); },
             [] { return team::november_2026_ms; }),
        machine_(vfs_.add_machine("/sim/office")),
        device_(tls::make_device_key()) {
    std::signal(SIGPIPE, SIG_IGN);
    auto opened = team::Office::open(machine_);
    must_hold(static_cast<bool>(opened), "an office opens");
    office_ = std::move(*opened);
    must_hold(static_cast<bool>(office_->prepare([] {})), "an office can be prepared");
    enrol_device();
    listen();
  }
  ~Server() { http_->stop(); }

  [[nodiscard]] std::uint16_t port() const { return http_->port(); }
  [[nodiscard]] const tls::KeyPair& device() const { return device_; }

 private:
  static core::Instant now() { return {team::november_2026_ms}; }

  void enrol_device() {
    v1::EnrolRequest request;
    request.set_protocol_version(1);
    request.set_device_name("A device");
    request.set_code(engine::parse_enrolment(team::enrolment_text(team::Person::aigul))->code);
    const auto key = tls::device_public_key(device_.certificate_pem);
    must_hold(key && server::enrol(office_->store(), request, *key, now), "a device is enrolled");
  }

  void listen() {
    router_ = std::make_unique<server::Router>(office_->store(), office_->service(), now);
    const tls::KeyPair keys = tls::make_device_key();
    server::HttpSettings settings;
    settings.port = 0;
    settings.private_key_pem = keys.private_key_pem;
    settings.certificate_pem = keys.certificate_pem;
    settings.blocking_threads = 1;  // the store has one user
    auto http = server::HttpServer::listen(
        settings, [this](const server::Request& head) { return router_->gate(head); },
        [this](const server::Request& request) { return router_->handle(request); }, server::problem_response);
    must_hold(static_cast<bool>(http), "a port is free");
    http_ = std::move(*http);
    http_->start();
  }

  sim::SimulatedVfs vfs_;
  sim::Machine& machine_;
  tls::KeyPair device_;
  std::unique_ptr<team::Office> office_;
  std::unique_ptr<server::Router> router_;
  std::unique_ptr<server::HttpServer> http_;
};

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Session = std::unique_ptr<SSL, decltype(&SSL_free)>;

Context make_context(const tls::KeyPair& keys) {
  Context context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> certificate(BIO_new_mem_buf(keys.certificate_pem.data(), -1),
                                                              BIO_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> key(BIO_new_mem_buf(keys.private_key_pem.data(), -1), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> x509(
      PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr), X509_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> evp(
      PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  must_hold(
      SSL_CTX_use_certificate(context.get(), x509.get()) == 1 && SSL_CTX_use_PrivateKey(context.get(), evp.get()) == 1,
      "the device's key can be used");
  return context;
}

class Socket {
 public:
  explicit Socket(std::uint16_t port) : number_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must_hold(::connect(number_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
              "the server accepts");
    // Closed at once: thousands of closed ones must not wait for their end.
    const linger at_once{1, 0};
    ::setsockopt(number_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  ~Socket() { ::close(number_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

// The fuzzer's own timer interrupts calls; those are made again.
template <typename Call>
int uninterrupted(SSL* session, Call call) {
  for (;;) {
    const int result = call();
    if (result > 0) return result;
    const int error = SSL_get_error(session, result);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return result;
  }
}

std::string ask(SSL_CTX* context, std::uint16_t port, const std::uint8_t* data, std::size_t size) {
  const Socket socket(port);
  const Session session(SSL_new(context), SSL_free);
  SSL_set_fd(session.get(), socket.number());
  SSL* const tls = session.get();
  must_hold(uninterrupted(tls, [&] { return SSL_connect(tls); }) == 1, "a handshake with a device's key succeeds");
  if (size > 0) uninterrupted(tls, [&] { return SSL_write(tls, data, static_cast<int>(size)); });
  SSL_shutdown(tls);
  std::string answers;
  char buffer[4096];
  const auto read = [&] { return SSL_read(tls, buffer, sizeof buffer); };
  for (int count = 0; (count = uninterrupted(tls, read)) > 0;) answers.append(buffer, static_cast<std::size_t>(count));
  return answers;
}

Server& the_server() {
  static Server server;
  return server;
}

}  // namespace

int LLVMFuzzerInitialize(int*, char***) {
  static_cast<void>(the_server());
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Context context = make_context(the_server().device());
  const std::string answers = ask(context.get(), the_server().port(), data, size);
  must_hold(answers.empty() || answers.starts_with("HTTP/1.1 "), "an answer is HTTP");
  must_hold(!answers.starts_with("HTTP/1.1 5") || answers.starts_with("HTTP/1.1 501"),
            "bad input is the caller's fault");
  return 0;
}
