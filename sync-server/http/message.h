// message.h: requests and answers as handlers see them: plain structs.
#pragma once

#include <string>
#include <utility>
#include <vector>

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
};

struct Response {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

}  // namespace fieldsync::server
