// transport.h: how the engine's requests reach a server. HTTPS in the product, a
// virtual network in tests.
#pragma once

#include <cstdint>
#include <string>

#include "core/certificate_flaw.h"
#include "core/result.h"
#include "core/time.h"

namespace fieldsync::engine {

struct HttpRequest {
  std::string path;
  std::string body{};
  std::string method = "POST";
  std::string content_type = "application/x-protobuf";
  std::string range{};  // "bytes=100-": which bytes are wanted; empty for all
  // A long body: it is written in small steps, so that little is under way when the
  // connection breaks, and never sent a second time by itself.
  bool is_long = false;
};

struct HttpReply {
  int status = 0;
  std::string content_type{};
  std::string body{};  // without what underway() took before
};

struct WireBytes {
  std::uint64_t up = 0;
  std::uint64_t down = 0;
};

// How far an exchange has come.
struct Underway {
  std::uint64_t sent = 0;  // bytes of the request's body that the network took
  int status = 0;          // of the reply; 0 before its head arrived
  std::string received{};  // of the reply's body, since the last call
};

// One exchange at a time: start(), then wait(). Between the two the caller may
// prepare what comes next.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual void start(HttpRequest request) = 0;
  // offline, server_untrusted, connection_lost, cancelled.
  virtual Result<HttpReply> wait() = 0;
  // False where the exchange has not ended after `span`.
  virtual bool wait_for(core::Milliseconds span) = 0;
  // Also once after the end, for what arrived before the connection broke.
  virtual Underway underway() = 0;
  // From any thread, and for good: wait() returns `cancelled`, this one at once (but for a name
  // that is being looked up), and every later one.
  virtual void cancel() = 0;
  [[nodiscard]] virtual WireBytes wire_bytes() const = 0;
  // Of the server, on the last connection.
  [[nodiscard]] virtual CertificateFlaw certificate_flaw() const { return CertificateFlaw::none; }
};

// For who has the whole answer when wait() returns, or has none.
class WholeExchange : public Transport {
 public:
  bool wait_for(core::Milliseconds /*span*/) override { return true; }
  Underway underway() override { return {}; }
};

}  // namespace fieldsync::engine
