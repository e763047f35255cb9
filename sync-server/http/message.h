// message.h: requests and answers as handlers see them: plain structs, and bodies that are too
// large to be held whole.
//
// Bodies are asked and given to on the blocking pool, one call at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace fieldsync::server {

struct Request {
  std::string method;
  std::string target;  // path and query, as sent
  std::string content_type;
  std::string content_encoding;
  std::string accept;
  std::string body;
  // The Ed25519 key that the TLS handshake proved, 32 bytes; empty without one.
  std::string peer_key;
  // Names this request in the log and in a refusal.
  std::string id;
  // Empty where it is to be ignored.
  std::string range{};
  // As declared, before the body is there.
  std::uint64_t body_bytes = 0;
  // The body comes only when it is asked for.
  bool expects_continue = false;
  // Where it comes from (peer_address.h); empty where the connection is gone.
  std::string peer_address{};
  // This request, or an earlier one of the connection, came from somebody who may be served.
  bool peer_is_known = false;
};

// The body of an answer.
class BodySource {
 public:
  virtual ~BodySource() = default;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // The next bytes. Without any the connection ends.
  virtual Result<std::string> read() = 0;
};

struct Response {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::unique_ptr<BodySource> source{};  // in the place of `body`
  std::string_view outcome{};            // the code of a refusal, from our own table; empty where it is none
};

// Takes the body of a request as it arrives.
class BodySink {
 public:
  virtual ~BodySink() = default;
  // What goes wrong is told at the end.
  virtual void take(std::string_view piece) = 0;
  // The body is whole.
  virtual Response finish() = 0;
  // The connection broke before that, or the rest is late: what came of it is kept or thrown away.
  virtual Result<void> abandon() = 0;
};

// What is to be done with the body of a request: refused before it is read, taken as it arrives,
// or, with neither, held whole.
struct Reception {
  std::optional<Response> refusal{};
  std::unique_ptr<BodySink> sink{};
  // All of the body has to be there within this. Without it each step has a deadline, and there are
  // as many as make progress.
  std::optional<std::chrono::seconds> body_time_max{};
  // It comes from somebody who may be served: from here on the connection counts as no stranger's.
  bool peer_is_known = false;
};

}  // namespace fieldsync::server
