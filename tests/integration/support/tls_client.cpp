#include "support/tls_client.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "support/loopback.h"
#include "tls/key_pair.h"

namespace fieldsync::testing {
namespace {

template <typename Object>
Object* read_pem(const std::string& pem, Object* (*read)(BIO*, Object**, pem_password_cb*, void*)) {
  BIO* const source = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  Object* const object = read(source, nullptr, nullptr, nullptr);
  BIO_free(source);
  return object;
}

// Whether `answer` holds a head and all of the body that it declares.
bool is_whole(const std::string& answer) {
  const std::size_t end = answer.find("\r\n\r\n");
  const std::size_t length = answer.find("Content-Length: ");
  if (end == std::string::npos || length == std::string::npos || length > end) return false;
  return answer.size() >= end + 4 + std::stoul(answer.substr(length + 16));
}

}  // namespace

struct TlsClient::Stream {
  Stream() : context(SSL_CTX_new(TLS_client_method())), socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Stream() {
    SSL_free(ssl);
    SSL_CTX_free(context);
    ::close(socket);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  SSL_CTX* context;
  SSL* ssl = nullptr;
  int socket;
};

TlsClient::TlsClient(int port) : stream_(std::make_unique<Stream>()) {
  const tls::KeyPair keys = tls::make_device_key();
  EVP_PKEY* const key = read_pem<EVP_PKEY>(keys.private_key_pem, PEM_read_bio_PrivateKey);
  X509* const certificate = read_pem<X509>(keys.certificate_pem, PEM_read_bio_X509);
  const bool has_key =
      SSL_CTX_use_certificate(stream_->context, certificate) == 1 && SSL_CTX_use_PrivateKey(stream_->context, key) == 1;
  EVP_PKEY_free(key);
  X509_free(certificate);
  stream_->ssl = SSL_new(stream_->context);
  const sockaddr_in address = loopback(port);
  const bool connected = ::connect(stream_->socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (!has_key || !connected || SSL_set_fd(stream_->ssl, stream_->socket) != 1 || SSL_connect(stream_->ssl) != 1)
    throw std::runtime_error("no TLS connection to the server");
}

TlsClient::~TlsClient() = default;

void TlsClient::send(std::string_view bytes) {
  if (SSL_write(stream_->ssl, bytes.data(), static_cast<int>(bytes.size())) != static_cast<int>(bytes.size()))
    throw std::runtime_error("the connection broke");
}

std::string TlsClient::answer() {
  std::string answer;
  char part[4096];
  while (!is_whole(answer)) {
    const int got = SSL_read(stream_->ssl, part, sizeof part);
    if (got <= 0) break;
    answer.append(part, static_cast<std::size_t>(got));
  }
  return answer;
}

}  // namespace fieldsync::testing
