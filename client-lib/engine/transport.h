// transport.h: how the engine's requests reach a server. HTTPS in the product, a
// virtual network in tests.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"

namespace fieldsync::engine {

struct HttpReply {
  int status = 0;
  std::string content_type;
  std::string body;
};

struct WireBytes {
  std::uint64_t up = 0;
  std::uint64_t down = 0;
};

// One exchange at a time: start(), then wait(). Between the two the caller may
// prepare what comes next.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual void start(std::string path, std::string body) = 0;
  // offline, server_untrusted, connection_lost, cancelled.
  virtual Result<HttpReply> wait() = 0;
  // From any thread: wait() returns `cancelled`, at once.
  virtual void cancel() = 0;
  [[nodiscard]] virtual WireBytes wire_bytes() const = 0;
};

}  // namespace fieldsync::engine
