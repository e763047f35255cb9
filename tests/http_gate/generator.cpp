#include "http_gate/generator.h"

#include <string_view>
#include <vector>

namespace fieldsync::http_gate {
namespace {

constexpr const char* methods[] = {"GET",     "POST",  "PUT",   "HEAD", "DELETE", "OPTIONS",
                                   "CONNECT", "TRACE", "PATCH", "get",  "BREW",   "M-SEARCH"};
constexpr const char* targets[] = {"/v1/sync",
                                   "/",
                                   "/v1/attachments/ab?offset=1&x=%20",
                                   "*",
                                   "office:443",
                                   "//a//b",
                                   "https://office/v1/sync",
                                   "HTTPS://Office:443?x",
                                   "http://office/",
                                   "/a#b",
                                   "?x"};
constexpr const char* versions[] = {"HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1.2"};
constexpr const char* hosts[] = {"office", "OFFICE:443", "127.0.0.1:8443", "[::1]:8443", "office:", "a,b", "a b", ""};
constexpr const char* lengths[] = {"0", "5", "22", "007", "1000000", "99999999999999999999", "-1", "5,5", "0x5"};
constexpr const char* fields[] = {"Content-Type: application/json",
                                  "Accept: application/x-protobuf",
                                  "Accept:",
                                  "X-One: \t two words \t",
                                  "X_Two:\xc3\xb6",
                                  "Expect: 100-continue",
                                  "Connection: close",
                                  "Connection: Upgrade",
                                  "Upgrade: h2c",
                                  "Transfer-Encoding: chunked",
                                  "Transfer-Encoding: gzip, chunked",
                                  "Transfer-Encoding: identity",
                                  "Range: bytes=0-1"};
// What is put somewhere into the head.
constexpr std::string_view spoilers[] = {"\r",
                                         "\n",
                                         "\r\n",
                                         "\r\n ",
                                         "\r\n\t",
                                         " ",
                                         "\t",
                                         std::string_view("\0", 1),
                                         ":",
                                         ",",
                                         "\x7f",
                                         "\x0b",
                                         "\xff",
                                         "\"",
                                         "\\",
                                         "%",
                                         "#",
                                         "\r\nContent-Length: 5",
                                         "\r\nContent-Length : 5",
                                         "\r\nTransfer-Encoding: chunked",
                                         "\r\nTransfer-Encoding : chunked",
                                         "\r\nHost: other",
                                         "HTTP/1.1"};

}  // namespace

std::string Generator::sound_head() {
  std::string head = one_of(methods) + " " + one_of(targets) + " " + one_of(versions) + "\r\n";
  std::vector<std::string> lines;
  if (below(16) > 0) lines.push_back("Host: " + one_of(hosts));
  if (below(2) > 0) lines.push_back("Content-Length: " + one_of(lengths));
  for (std::size_t more = below(4); more > 0; --more) lines.push_back(one_of(fields));
  while (!lines.empty()) {
    const std::size_t next = below(lines.size());
    head += lines[next] + "\r\n";
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(next));
  }
  return head + "\r\n";
}

void Generator::spoil(std::string& head) {
  const std::size_t at = below(head.size());
  switch (below(5)) {
    case 0: head[at] = static_cast<char>(below(256)); break;
    case 1: head.erase(at, 1); break;
    case 2: head.insert(at, head.substr(at, 1 + below(20))); break;
    default: head.insert(at, spoilers[below(std::size(spoilers))]);
  }
}

std::string Generator::head() {
  std::string head = sound_head();
  for (std::size_t times = below(4); times > 1; --times) spoil(head);
  return head;
}

}  // namespace fieldsync::http_gate
