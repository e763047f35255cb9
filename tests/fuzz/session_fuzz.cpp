// session_fuzz.cpp: a whole session with the real server: TLS, HTTP, the router, the
// service and its store. The bytes are what an enrolled device sends after the
// handshake; it reads the answers and hangs up.
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/enrolment_text.h"
#include "fuzz/must_hold.h"
#include "fuzz/target.h"
#include "handlers/problem.h"
#include "http/http_server.h"
#include "service/enrolment.h"
#include "sim/chance.h"
#include "sim/disk/simulated_vfs.h"
#include "sim/seeded_key.h"
#include "sim/team/office.h"
#include "tls/key_pair.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;

constexpr std::array<std::uint8_t, 32> device_seed{1};

// An office that listens, and a device that it knows. Its keys are the same in each
// process, but for the one that only TLS uses.
class Server {
 public:
  Server()
      : vfs_([chance = std::make_shared<sim::Chance>(1)] { return chance->next(); },
             [] { return team::november_2026_ms; }),
        machine_(vfs_.add_machine("/sim/office")),
        device_(sim::make_seeded_key(device_seed)) {
    std::signal(SIGPIPE, SIG_IGN);
    open_office();
    must_hold(static_cast<bool>(office_->prepare([] {})), "an office can be prepared");
    enrol_device();
    close_office();
    files_ = machine_.files();
    open_office();
    listen();
  }
  ~Server() { http_->stop(); }

  [[nodiscard]] std::uint16_t port() const { return http_->port(); }
  [[nodiscard]] const tls::KeyPair& device() const { return device_; }

  // As it was before the first input. Where nothing was written there is nothing to do,
  // which is almost always.
  void put_back() {
    const std::lock_guard lock(mutex_);
    if (machine_.count(sim::Among::changes) == changes_) return;
    close_office();
    machine_.restore(files_);
    open_office();
  }

 private:
  static core::Instant now() { return {team::november_2026_ms}; }

  void open_office() {
    auto opened = team::Office::open(machine_);
    must_hold(static_cast<bool>(opened), "an office opens");
    office_ = std::move(*opened);
    router_ = std::make_unique<server::Router>(office_->store(), office_->service(), office_->attachments(), now);
    changes_ = machine_.count(sim::Among::changes);
  }

  void close_office() {
    router_.reset();
    office_.reset();
  }

  void enrol_device() {
    v1::EnrolRequest request;
    request.set_protocol_version(1);
    request.set_device_name("A device");
    request.set_code(engine::parse_enrolment(team::enrolment_text(team::Person::aigul))->code);
    const auto key = tls::device_public_key(device_.certificate_pem);
    must_hold(key && server::Enrolment(office_->store(), office_->audit_log(), now).enrol(request, *key, {}),
              "a device is enrolled");
    add_second_code();
  }

  // The device's person may use it, once: so an input can change the office.
  void add_second_code() {
    const auto code = server::read_enrolment_code("SEC00123456789ABE");
    must_hold(code && office_->store().write([&](server::WriteTransaction& transaction) -> Result<void> {
      transaction.add_enrolment_code(
          {code->id, code->hash, id_of(team::Person::aigul), {team::november_2026_ms + 3'600'000}});
      return {};
    }),
              "a code is added");
  }

  void listen() {
    const tls::KeyPair keys = tls::make_device_key();
    server::HttpSettings settings;
    settings.port = 0;
    settings.private_key_pem = keys.private_key_pem;
    settings.certificate_pem = keys.certificate_pem;
    settings.blocking_threads = 1;  // the store has one user
    auto http = server::HttpServer::listen(settings, {[this](const server::Request& head) {
                                                        const std::lock_guard lock(mutex_);
                                                        // Bodies are held whole: a sink would outlive the office.
                                                        return server::Reception{router_->gate(head), nullptr};
                                                      },
                                                      [this](const server::Request& request) {
                                                        const std::lock_guard lock(mutex_);
                                                        return testing::whole(router_->handle(request));
                                                      },
                                                      server::problem_response});
    must_hold(static_cast<bool>(http), "a port is free");
    http_ = std::move(*http);
    http_->start();
  }

  sim::SimulatedVfs vfs_;
  sim::Machine& machine_;
  tls::KeyPair device_;
  sim::FileTree files_;
  // Held by who uses the office: a request may still run when its device has hung up.
  std::mutex mutex_;
  std::uint64_t changes_ = 0;  // of the disk, as the office was opened
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
    must_hold(connects_to(address), "the server accepts");
    // Closed at once: thousands of closed ones must not wait for their end.
    const linger at_once{1, 0};
    ::setsockopt(number_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  ~Socket() { ::close(number_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  // Interrupted by the fuzzer's own timer it goes on by itself, and is waited for.
  [[nodiscard]] bool connects_to(const sockaddr_in& address) const {
    while (::connect(number_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      if (errno == EISCONN) return true;
      if (errno != EINTR && errno != EALREADY) return false;
    }
    return true;
  }

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

// Bad input is the caller's fault. 501: a method or a transfer coding that nobody knows; 505: another HTTP.
void check_status(std::string_view line) {
  constexpr std::string_view version = "HTTP/1.1 ";
  must_hold(line.starts_with(version), "an answer is HTTP");
  int status = 0;
  const std::string_view digits = line.substr(version.size(), 3);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), status);
  must_hold(read.ptr == digits.data() + 3 && status >= 200, "an answer has a status");
  must_hold(status < 500 || status == 501 || status == 505, "bad input is the caller's fault");
}

// The body's length, from the lines after the first.
std::size_t body_length(std::string_view head) {
  constexpr std::string_view name = "\r\nContent-Length: ";
  const std::size_t at = head.find(name);
  must_hold(at != std::string_view::npos && head.find(name, at + 1) == std::string_view::npos,
            "an answer says once how long it is");
  std::size_t length = 0;
  const std::string_view digits = head.substr(at + name.size());
  must_hold(std::from_chars(digits.data(), digits.data() + digits.size(), length).ec == std::errc(),
            "a length is a number");
  return length;
}

// One after the other; the last may have been cut off.
void check_answers(std::string_view answers) {
  while (!answers.empty()) {
    const std::size_t end = answers.find("\r\n\r\n");
    if (end == std::string_view::npos) return;
    const std::string_view head = answers.substr(0, end);
    check_status(head);
    answers.remove_prefix(std::min(answers.size(), end + 4 + body_length(head)));
  }
}

}  // namespace

int LLVMFuzzerInitialize(int*, char***) {
  static_cast<void>(the_server());
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Context context = make_context(the_server().device());
  the_server().put_back();
  check_answers(ask(context.get(), the_server().port(), data, size));
  return 0;
}
