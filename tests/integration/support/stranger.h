// stranger.h: a device that nobody knows: one TLS connection with a new key, over which bytes are sent as a test wants.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "load/tls_client.h"
#include "support/generic_refusal.h"

namespace fieldsync::testing {

class Stranger {
 public:
  // Connected, with the handshake done. Throws std::runtime_error, here and below.
  explicit Stranger(int port) : context_(tls::make_device_key()), client_(port, 1) {
    if (!client_.handshake(context_)) throw std::runtime_error("no TLS connection to the server");
  }

  void send(std::string_view bytes) {
    if (!client_.send(bytes)) throw std::runtime_error("the connection broke");
  }
  // Until the other side closes, or the answer to one request is whole. A refusal tells nothing of the server's inside.
  [[nodiscard]] std::string answer() {
    std::string answer = client_.answer();
    const std::string telling = telling_in(answer);
    if (!telling.empty()) throw std::runtime_error(telling + " in: " + answer);
    return answer;
  }

 private:
  load::ClientContext context_;
  load::TlsClient client_;
};

}  // namespace fieldsync::testing
