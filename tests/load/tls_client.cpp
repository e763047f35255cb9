#include "load/tls_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace fieldsync::load {
namespace {

constexpr timeval longest_wait{30, 0};

sockaddr_in address_of(int last_byte, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1U + static_cast<std::uint32_t>(last_byte));
  return address;
}

}  // namespace

ClientContext::ClientContext(const tls::KeyPair& key) : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
  // OpenSSL writes with write(2), and servers close.
  ::signal(SIGPIPE, SIG_IGN);
  SSL_CTX* context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  const auto source_of = [](const std::string& pem) {
    return std::unique_ptr<BIO, decltype(&BIO_free)>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                     BIO_free);
  };
  X509* certificate = PEM_read_bio_X509(source_of(key.certificate_pem).get(), nullptr, nullptr, nullptr);
  EVP_PKEY* private_key = PEM_read_bio_PrivateKey(source_of(key.private_key_pem).get(), nullptr, nullptr, nullptr);
  const bool is_used = certificate != nullptr && private_key != nullptr &&
                       SSL_CTX_use_certificate(context, certificate) == 1 &&
                       SSL_CTX_use_PrivateKey(context, private_key) == 1;
  X509_free(certificate);
  EVP_PKEY_free(private_key);
  if (!is_used) throw std::runtime_error("a client's key cannot be used");
}

TlsClient::TlsClient(int port, int source, int receive_bytes)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const int yes = 1;
  ::setsockopt(socket_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &longest_wait, sizeof longest_wait);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &longest_wait, sizeof longest_wait);
  if (receive_bytes > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
  const sockaddr_in own = address_of(source, 0);
  const sockaddr_in server = address_of(1, port);
  if (::bind(socket_, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
      ::connect(socket_, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) {
    const std::string why = std::strerror(errno);
    ::close(socket_);
    throw std::runtime_error("no connection: " + why);
  }
}

TlsClient::~TlsClient() { ::close(socket_); }

std::string TlsClient::name() const {
  sockaddr_in own{};
  socklen_t size = sizeof own;
  ::getsockname(socket_, reinterpret_cast<sockaddr*>(&own), &size);
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "%08X:%04X", own.sin_addr.s_addr, ntohs(own.sin_port));
  return text.data();
}

bool TlsClient::handshake(const ClientContext& context) {
  ssl_.reset(SSL_new(context.get()));
  SSL_set_fd(ssl_.get(), socket_);
  ERR_clear_error();
  return SSL_connect(ssl_.get()) == 1;
}

bool TlsClient::send(std::string_view bytes) {
  ERR_clear_error();
  std::size_t written = 0;
  return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) == 1;
}

void TlsClient::send_raw(std::string_view bytes) const {
  static_cast<void>(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
}

bool TlsClient::read_more(std::string& into) {
  std::array<char, 16 * 1024> piece{};
  std::size_t read = 0;
  ERR_clear_error();
  if (SSL_read_ex(ssl_.get(), piece.data(), piece.size(), &read) != 1) return false;
  into.append(piece.data(), read);
  return true;
}

std::string TlsClient::answer() {
  constexpr std::string_view end = "\r\n\r\n", length = "Content-Length: ";
  std::string text;
  while (text.find(end) == std::string::npos) {
    if (!read_more(text)) return text;
  }
  const std::size_t head_bytes = text.find(end) + end.size();
  const std::size_t at = text.find(length);
  if (at == std::string::npos || at > head_bytes) return text;
  const std::size_t all = head_bytes + std::stoul(text.substr(at + length.size(), 12));
  while (text.size() < all) {
    if (!read_more(text)) return text;
  }
  return text;
}

}  // namespace fieldsync::load
