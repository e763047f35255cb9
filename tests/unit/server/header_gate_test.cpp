// The limits of a request's head, to the byte. What a head may say is tried over TLS (http_framing_test.cpp) and
// against llhttp (tests/http_gate).
#include "http/header_gate.h"

#include <catch2/catch.hpp>
#include <string>

using namespace fieldsync;
using server::HeaderGate;

namespace {

// "whole", "more" is to come, or the name of the refusal.
std::string outcome_of(const std::string& arrived) {
  HeaderGate gate;
  const auto size = gate.look(arrived);
  if (!size) return std::string(describe(size.error().code).name);
  return *size ? "whole" : "more";
}

// With a first line of so many bytes, its end included.
std::string line_of(std::size_t bytes) {
  const std::string around = "GET / HTTP/1.1\r\n";
  return "GET /" + std::string(bytes - around.size(), 'a') + " HTTP/1.1\r\n";
}

std::string head_of(std::size_t bytes) {
  const std::string around = "GET / HTTP/1.1\r\nHost: office\r\nX: \r\n\r\n";
  return "GET / HTTP/1.1\r\nHost: office\r\nX: " + std::string(bytes - around.size(), 'a') + "\r\n\r\n";
}

std::string lines_of(std::size_t count) {
  std::string head = "GET / HTTP/1.1\r\nHost: office\r\n";
  for (std::size_t i = 2; i < count; ++i) head += "X: 1\r\n";
  return head + "\r\n";
}

}  // namespace

TEST_CASE("A request's first line has 2 KiB and not a byte more, also while its end has not come") {
  const std::size_t most = server::request_line_bytes_max;
  CHECK(outcome_of(line_of(most) + "Host: office\r\n\r\n") == "whole");
  CHECK(outcome_of(line_of(most + 1) + "Host: office\r\n\r\n") == "uri_too_long");
  CHECK(outcome_of(line_of(2 * most).substr(0, most)) == "more");
  CHECK(outcome_of(line_of(2 * most).substr(0, most + 1)) == "uri_too_long");
  // An empty line before it counts for neither (RFC 9112 section 2.2).
  CHECK(outcome_of("\r\n" + line_of(most) + "Host: office\r\n\r\n") == "whole");
}

TEST_CASE("A head has 8 KiB and not a byte more, also while its end has not come") {
  const std::size_t most = server::head_bytes_max;
  CHECK(outcome_of(head_of(most)) == "whole");
  CHECK(outcome_of(head_of(most + 1)) == "header_too_large");
  CHECK(outcome_of(head_of(2 * most).substr(0, most)) == "more");
  CHECK(outcome_of(head_of(2 * most).substr(0, most + 1)) == "header_too_large");
}

TEST_CASE("A head has 64 lines with the first, and not one more") {
  CHECK(outcome_of(lines_of(server::head_lines_max)) == "whole");
  CHECK(outcome_of(lines_of(server::head_lines_max + 1)) == "header_too_large");
}
