// tls_client.h: a TLS client that costs little, of which one process holds ten thousand: a blocking socket and
// OpenSSL's state, no thread and no buffer.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "tls/key_pair.h"

namespace fieldsync::load {

// What clients with one key share.
class ClientContext {
 public:
  explicit ClientContext(const tls::KeyPair& key);
  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
};

class TlsClient {
 public:
  // A TCP connection from 127.0.0.`source`, which counts as an address of its own. Throws std::runtime_error.
  // `receive_bytes`: of the socket's buffer; 0: the usual.
  TlsClient(int port, int source, int receive_bytes = 0);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // This end, as /proc/net/tcp writes it.
  [[nodiscard]] std::string name() const;
  // False where the server does not want it.
  [[nodiscard]] bool handshake(const ClientContext& context);
  [[nodiscard]] bool send(std::string_view bytes);
  // Below TLS.
  void send_raw(std::string_view bytes) const;
  // One answer, head and body; what there is of it where the connection ends before.
  [[nodiscard]] std::string answer();
  [[nodiscard]] std::string ask(std::string_view request) { return send(request) ? answer() : std::string(); }

 private:
  [[nodiscard]] bool read_more(std::string& into);

  int socket_ = -1;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
};

}  // namespace fieldsync::load
