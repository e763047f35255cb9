// https_transport.h: HTTP/1.1 over TLS 1.3 with the device's own certificate, to
// a server known by its key's pin. One connection, kept open between exchanges.
//
// No timer ends a transfer that makes progress: each read, and each write of 4 KiB of a long
// body, has 30 s of its own. A reply that ends early is an error, never a short reply.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/transport.h"

namespace fieldsync::transport {

struct HttpsSettings {
  std::string address;            // "host:port"
  std::vector<std::string> pins;  // SHA-256 of accepted server keys, 32 bytes each
  std::string private_key_pem;
  std::string certificate_pem;
  std::int64_t connect_timeout_ms = 10'000;
};

[[nodiscard]] std::unique_ptr<engine::Transport> make_https_transport(const HttpsSettings& settings);

}  // namespace fieldsync::transport
