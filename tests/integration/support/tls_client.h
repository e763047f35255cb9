// tls_client.h: one TLS connection with a key of its own, over which bytes are sent as a test wants.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace fieldsync::testing {

class TlsClient {
 public:
  // Connected, with the handshake done. Throws std::runtime_error.
  explicit TlsClient(int port);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  void send(std::string_view bytes);
  // Until the other side closes, or the answer to one request is whole.
  [[nodiscard]] std::string answer();

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

}  // namespace fieldsync::testing
