// A prober of the front door: what RFC 9110 and RFC 9112 say of requests, byte by byte over real
// TLS, each with another request behind it. Behind a refusal nothing may be answered any more.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "support/raw_client.h"

using namespace fieldsync::testing;

namespace {

struct Case {
  const char* rule;  // and its section
  std::string bytes;
  int status;
  bool goes_on = false;  // the request behind it is answered too
};

const std::string body = R"({"protocol_version":1})";
const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n";
const std::string json = "Content-Type: application/json\r\n";
const std::string host = "Host: office\r\n";
const std::string behind = "GET /behind HTTP/1.1\r\nHost: office\r\nConnection: close\r\n\r\n";

// With a first line of its own.
std::string line(const std::string& first) { return first + "\r\n" + host + json + length + "\r\n" + body; }
std::string target(const std::string& target) { return line("POST " + target + " HTTP/1.1"); }
// With header lines of its own, the length among them.
std::string fields(const std::string& lines) {
  return "POST /v1/sync HTTP/1.1\r\n" + host + json + lines + "\r\n" + body;
}
std::string field(const std::string& one) { return fields(one + "\r\n" + length); }
std::string field_with_nul(std::string before, const std::string& after) {
  before += '\0';
  return field(before + after);
}
std::string hosts(const std::string& lines) {
  return "POST /v1/sync HTTP/1.1\r\n" + lines + json + length + "\r\n" + body;
}
// Without content.
std::string bare(const std::string& first) { return first + "\r\n" + host + "\r\n"; }

// Whose head has so many bytes.
std::string head_of(std::size_t bytes) {
  const std::size_t others = field("X-One: ").size() - body.size();
  return field("X-One: " + std::string(bytes - others, 'a'));
}

std::string many_lines(std::size_t count) {
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) lines += "X-" + std::to_string(i) + ": 1\r\n";
  return lines;
}

constexpr bool answered = true;

std::vector<Case> request_lines() {
  return {
      {"one space between (9112 3)", line("POST  /v1/sync HTTP/1.1"), 400},
      {"one space between (9112 3)", line("POST /v1/sync  HTTP/1.1"), 400},
      {"no tab between (9112 3)", line("POST\t/v1/sync HTTP/1.1"), 400},
      {"no tab between (9112 3)", line("POST /v1/sync\tHTTP/1.1"), 400},
      {"nothing behind the version (9112 3)", line("POST /v1/sync HTTP/1.1 "), 400},
      {"nothing behind the version (9112 3)", line("POST /v1/sync HTTP/1.1 HTTP/1.1"), 400},
      {"nothing before the method (9112 3)", line(" POST /v1/sync HTTP/1.1"), 400},
      {"there is a version (9112 3)", line("POST /v1/sync"), 400},
      {"there is a target (9112 3)", line("POST HTTP/1.1"), 400},
      {"there is a method (9112 3)", line("/v1/sync HTTP/1.1"), 400},
      {"CR and LF end a line (9112 2.2)", "POST /v1/sync HTTP/1.1\n" + host + json + length + "\r\n" + body, 400},
      {"CR and LF end a line (9112 2.2)", "POST /v1/sync HTTP/1.1\r" + host + json + length + "\r\n" + body, 400},
      {"no CR within a line (9112 2.2)", line("POST /v1/sync\r HTTP/1.1"), 400},
      {"a version is written large (9112 2.3)", line("POST /v1/sync http/1.1"), 400},
      {"a version has two digits (9112 2.3)", line("POST /v1/sync HTTP/1.01"), 400},
      {"a version has two digits (9112 2.3)", line("POST /v1/sync HTTP/1"), 400},
      {"a version has a dot (9112 2.3)", line("POST /v1/sync HTTP/1,1"), 400},
      {"a version has its name (9112 2.3)", line("POST /v1/sync HTTPS/1.1"), 400},
      {"a major version that is not spoken (9110 15.6.6)", line("POST /v1/sync HTTP/2.0"), 505},
      {"a major version that is not spoken (9110 15.6.6)", line("POST /v1/sync HTTP/3.0"), 505},
      {"a major version that is not spoken (9110 15.6.6)", line("POST /v1/sync HTTP/0.9"), 505},
      {"a version that is not spoken (9110 15.6.6)", line("POST /v1/sync HTTP/1.2"), 505},
      {"the preface of HTTP/2 (9113 3.4)", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"a method is a token (9110 9.1)", line("PO(ST /v1/sync HTTP/1.1"), 400},
      {"a method is a token (9110 9.1)", line("PO\"ST /v1/sync HTTP/1.1"), 400},
      {"a method is a token (9110 9.1)", line("P\xc3\xb6ST /v1/sync HTTP/1.1"), 400},
      {"a method is written large (9110 9.1)", line("post /v1/sync HTTP/1.1"), 501},
      {"a method that nobody knows (9110 9.1)", line("BREW /v1/sync HTTP/1.1"), 501},
      {"a method that the address does not take (9110 15.5.6)", bare("GET /v1/sync HTTP/1.1"), 405},
      {"a method that the address does not take (9110 15.5.6)", bare("HEAD /v1/sync HTTP/1.1"), 405},
      {"a method that the address does not take (9110 15.5.6)", bare("DELETE /v1/sync HTTP/1.1"), 405},
      {"a method that the address does not take (9110 15.5.6)", bare("OPTIONS /v1/sync HTTP/1.1"), 405},
      {"a method that the address does not take (9110 15.5.6)", line("PATCH /v1/sync HTTP/1.1"), 405},
      {"an empty line before it (9112 2.2)", "\r\n" + line("POST /v1/sync HTTP/1.1"), 200, answered},
      {"no more than one (9112 2.2)", "\r\n\r\n" + line("POST /v1/sync HTTP/1.1"), 400},
      {"no bare LF before it (9112 2.2)", "\n" + line("POST /v1/sync HTTP/1.1"), 400},
      {"no other TLS, no other protocol", "SSH-2.0-OpenSSH_9.2\r\n", 400},
  };
}

std::vector<Case> targets() {
  return {
      {"a path begins with a slash (9112 3.2.1)", target("v1/sync"), 400},
      {"an asterisk is for OPTIONS (9112 3.2.4)", target("*"), 400},
      {"an asterisk is for OPTIONS (9112 3.2.4)", bare("OPTIONS * HTTP/1.1"), 404},
      {"the whole address (9112 3.2.2)", target("https://office/v1/sync"), 200, answered},
      {"a scheme and a host in any letters (9110 4.2.3)", target("HTTPS://OFFICE/v1/sync"), 200, answered},
      {"the host of the address is the Host (9112 3.2.2)", target("https://other/v1/sync"), 400},
      {"the host of the address is the Host (9112 3.2.2)", target("https://office:1/v1/sync"), 400},
      {"the scheme is that of the connection (9112 3.2.2)", target("http://office/v1/sync"), 400},
      {"an address has a host (9110 4.2.2)", target("https:///v1/sync"), 400},
      {"an address names no person (9110 4.2.4)", target("https://anna@office/v1/sync"), 400},
      {"an address may have no path (9112 3.2.1)", target("https://office"), 404},
      {"no fragment (9112 3.2)", target("/v1/sync#x"), 400},
      {"no blank (9112 3.2)", target("/v1/a b"), 400},
      {"no NUL in disguise", target("/v1/%00sync"), 400},
      {"a whole percent-encoding (3986 2.1)", target("/v1/%zz"), 400},
      {"a whole percent-encoding (3986 2.1)", target("/v1/%4"), 400},
      {"a whole percent-encoding (3986 2.1)", target("/v1/%"), 400},
      {"letters of ASCII (3986 2)", target("/v1/s\xc3\xbc"), 400},
      {"no DEL (3986 2)", target("/v1/\x7f"), 400},
      {"no quotes (3986 2)", target("/v1/\"x\""), 400},
      {"no angles (3986 2)", target("/v1/<x>"), 400},
      {"no braces (3986 2)", target("/v1/{x}"), 400},
      {"no backslash (3986 2)", target("/v1\\sync"), 400},
      {"no caret (3986 2)", target("/v1/^"), 400},
      {"a query with slashes (3986 3.4)", target("/v1/other?a=b/c?d"), 404},
      {"two slashes are a path (3986 3.3)", target("//office/v1/sync"), 404},
      {"dots are no way out (3986 5.2.4)", target("/v1/../v1/sync"), 404},
      {"dots in disguise neither", target("/v1/%2e%2e/v1/sync"), 404},
      {"a target too long (9110 15.5.15)", target("/v1/" + std::string(9'000, 'a')), 414},
      {"CONNECT names host and port (9112 3.2.3)", bare("CONNECT /v1/sync HTTP/1.1"), 400},
      {"CONNECT names host and port (9112 3.2.3)", bare("CONNECT office HTTP/1.1"), 400},
      {"CONNECT names host and port (9112 3.2.3)", bare("CONNECT office1 HTTP/1.1"), 400},
      {"CONNECT names host and port (9112 3.2.3)", bare("CONNECT [::1] HTTP/1.1"), 400},
      {"nobody is connected through (9110 9.3.6)", bare("CONNECT office:443 HTTP/1.1"), 501},
      {"nothing is echoed (9110 9.3.8)", bare("TRACE /v1/sync HTTP/1.1"), 501},
      {"nothing is echoed (9110 9.3.8)", bare("TRACE /v1/other HTTP/1.1"), 501},
  };
}

std::vector<Case> header_lines() {
  return {
      {"no blank before the colon (9112 5.1)", field("X-One : 1"), 400},
      {"no blank before the colon (9112 5.1)", field("X-One\t: 1"), 400},
      {"no blank before the first name (9112 2.2)", hosts(" " + host), 400},
      {"no folded line (9112 5.2)", field("X-One: 1\r\n 2"), 400},
      {"no folded line (9112 5.2)", field("X-One: 1\r\n\t2"), 400},
      {"no folded line, not even an empty one (9112 5.2)", field("X-One: 1\r\n "), 400},
      {"a colon in each line (9112 5)", field("X-One"), 400},
      {"a name in each line (9110 5.1)", field(": 1"), 400},
      {"a name is a token (9110 5.1)", field("X One: 1"), 400},
      {"a name is a token (9110 5.1)", field("X(One): 1"), 400},
      {"a name is a token (9110 5.1)", field("X-\xc3\xb6: 1"), 400},
      {"no NUL in a name (9110 5.1)", field_with_nul("X-", "One: 1"), 400},
      {"no NUL in a value (9110 5.5)", field_with_nul("X-One: 1", "2"), 400},
      {"no CR in a value (9110 5.5)", field("X-One: 1\rX-Two: 2"), 400},
      {"no LF in a value (9110 5.5)", field("X-One: 1\nX-Two: 2"), 400},
      {"no control character in a value (9110 5.5)", field("X-One: 1\x01"), 400},
      {"no escape in a value (9110 5.5)", field("X-One: \x1b[2J"), 400},
      {"no DEL in a value (9110 5.5)", field("X-One: 1\x7f"), 400},
      {"a tab in a value (9110 5.5)", field("X-One: 1\t2"), 200, answered},
      {"other bytes in a value (9110 5.5)", field("X-One: \xc3\xb6"), 200, answered},
      {"an empty value (9110 5.5)", field("X-One:"), 200, answered},
      {"blanks around a value (9110 5.5)", field("X-One: \t 1 \t "), 200, answered},
      {"none before a value (9112 5)", field("X-One:1"), 200, answered},
      {"64 lines with the first", field(many_lines(59) + "X-Last: 1"), 200, answered},
      {"no more than 64 (9110 5.4)", field(many_lines(60) + "X-Last: 1"), 431},
      {"8 KiB (9110 5.4)", head_of(8'192), 200, answered},
      {"no more than 8 KiB (9110 5.4)", head_of(8'193), 431},
      {"one Content-Type (9110 5.3)", field("Content-Type: application/json"), 400},
      {"what is to be met (9110 10.1.1)", field("Expect: 200-ok"), 417},
      {"what is to be met (9110 10.1.1)", field("Expect: 100-continue"), 200, answered},
      {"an upgrade may be passed over (9110 7.8)", field("Connection: Upgrade\r\nUpgrade: h2c"), 200, answered},
      {"a client may close (9112 9.6)", field("Connection: close"), 200},
      {"a client may close (9112 9.6)", field("Connection: Close, X-One"), 200},
      {"a list of tokens (9110 7.6.1)", field("Connection: keep alive"), 400},
      {"a list of tokens (9110 7.6.1)", field("Connection: ,, keep-alive ,"), 200, answered},
      {"HTTP/1.0 closes (9112 9.3)", line("POST /v1/sync HTTP/1.0"), 200},
  };
}

std::vector<Case> host_lines() {
  return {
      {"a Host (9112 3.2)", hosts(""), 400},
      {"one Host (9112 3.2)", hosts(host + host), 400},
      {"one Host (9112 3.2)", hosts(host + "Host: other\r\n"), 400},
      {"one Host, in any letters (9112 3.2)", hosts(host + "hOST: office\r\n"), 400},
      {"a host in it (9110 4.2.2)", hosts("Host:\r\n"), 400},
      {"no blank in it (3986 3.2.2)", hosts("Host: of fice\r\n"), 400},
      {"nobody's name in it (9110 4.2.4)", hosts("Host: anna@office\r\n"), 400},
      {"no path in it (3986 3.2.2)", hosts("Host: office/v1\r\n"), 400},
      {"a port of digits (3986 3.2.3)", hosts("Host: office:x\r\n"), 400},
      {"a port that there can be", hosts("Host: office:65536\r\n"), 400},
      {"two ports are none (3986 3.2.3)", hosts("Host: office:1:2\r\n"), 400},
      {"an address in brackets (3986 3.2.2)", hosts("Host: [::1\r\n"), 400},
      {"an address in brackets (3986 3.2.2)", hosts("Host: [office]\r\n"), 400},
      {"nothing behind brackets (3986 3.2.2)", hosts("Host: [::1]x\r\n"), 400},
      {"an address in brackets (3986 3.2.2)", hosts("Host: [::1]:8443\r\n"), 200, answered},
      {"four numbers (3986 3.2.2)", hosts("Host: 127.0.0.1:8443\r\n"), 200, answered},
      {"an empty port (3986 3.2.3)", hosts("Host: office:\r\n"), 200, answered},
      {"its name in any letters (9110 5.1)", hosts("HOST: office\r\n"), 200, answered},
      {"none in HTTP/1.0 (9112 3.2)", "POST /v1/sync HTTP/1.0\r\n" + json + length + "\r\n" + body, 200},
  };
}

std::vector<Case> lengths() {
  const std::string digits = std::to_string(body.size());
  const auto of = [](const std::string& value) { return fields("Content-Length: " + value + "\r\n"); };
  return {
      {"a length (9110 15.5.12)", fields(""), 411},
      {"digits alone (9110 8.6)", of("+" + digits), 400},
      {"digits alone (9110 8.6)", of("-" + digits), 400},
      {"digits alone (9110 8.6)", of("0x16"), 400},
      {"digits alone (9110 8.6)", of(digits + ".0"), 400},
      {"digits alone (9110 8.6)", of("2e1"), 400},
      {"digits alone (9110 8.6)", of("2 2"), 400},
      {"digits alone (9110 8.6)", of("\xd9\xa2\xd9\xa2"), 400},
      {"digits (9110 8.6)", of(""), 400},
      {"one (9112 6.3)", of(digits + ", " + digits), 400},
      {"one (9112 6.3)", of(digits + "\r\nContent-Length: " + digits), 400},
      {"one (9112 6.3)", of(digits + "\r\nContent-Length: 0"), 400},
      {"one, in any letters (9112 6.3)", of("0\r\ncontent-length: " + digits), 400},
      {"zeros before it (9110 8.6)", of("000" + digits), 200, answered},
      {"blanks around it (9110 5.5)", of("  " + digits + "  "), 200, answered},
      {"no more than the limit (9110 15.5.14)", of("2097153"), 413},
      {"no overflow (9112 6.3)", of("18446744073709551638"), 413},
      {"no overflow (9112 6.3)", of(std::string(400, '9')), 413},
      {"no name that looks alike", fields("Content_Length: " + digits + "\r\n"), 411},
      {"no name with a blank (9112 5.1)", fields("Content-Length : " + digits + "\r\n"), 400},
      {"no content with GET (9110 9.3.1)", "GET /v1/sync HTTP/1.1\r\n" + host + length + "\r\n" + body, 400},
      {"no content with HEAD (9110 9.3.2)", "HEAD /v1/sync HTTP/1.1\r\n" + host + length + "\r\n" + body, 400},
      {"nothing is no content (9110 8.6)", "GET /v1/sync HTTP/1.1\r\n" + host + "Content-Length: 0\r\n\r\n", 405},
  };
}

std::vector<Case> codings() {
  const std::string chunks = "16\r\n" + body + "\r\n0\r\n\r\n";
  const auto of = [&](const std::string& lines) {
    return "POST /v1/sync HTTP/1.1\r\n" + host + json + lines + "\r\n" + chunks;
  };
  return {
      {"content without a length may be refused (9112 6.3)", of("Transfer-Encoding: chunked\r\n"), 411},
      {"in any letters (9112 7)", of("TRANSFER-ENCODING: ChunkeD\r\n"), 411},
      {"a coding that is not understood (9112 6.1)", of("Transfer-Encoding: gzip, chunked\r\n"), 501},
      {"chunked no more than once (9112 6.1)", of("Transfer-Encoding: chunked, chunked\r\n"), 501},
      {"over two lines (9110 5.3)", of("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 501},
      {"chunked at the end (9112 6.3)", of("Transfer-Encoding: gzip\r\n"), 400},
      {"chunked at the end (9112 6.3)", of("Transfer-Encoding: identity\r\n"), 400},
      {"chunked at the end (9112 6.3)", of("Transfer-Encoding: chunked, identity\r\n"), 400},
      {"chunked at the end (9112 6.3)", of("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"), 400},
      {"chunked and nothing like it (9112 7)", of("Transfer-Encoding: xchunked\r\n"), 400},
      {"chunked and nothing like it (9112 7)", of("Transfer-Encoding: chunked;a=b\r\n"), 400},
      {"chunked and nothing like it (9112 7)", of("Transfer-Encoding: \"chunked\"\r\n"), 400},
      {"chunked and nothing like it (9112 7)",
       of("Transfer-Encoding: \x0b"
          "chunked\r\n"),
       400},
      {"a coding has a name (9112 7)", of("Transfer-Encoding:\r\n"), 400},
      {"not beside a length (9112 6.1)", of(length + "Transfer-Encoding: chunked\r\n"), 400},
      {"not beside a length (9112 6.1)", of("Transfer-Encoding: chunked\r\n" + length), 400},
      {"not beside a length (9112 6.1)", of("Transfer-Encoding: identity\r\n" + length), 400},
      {"not in HTTP/1.0 (9112 6.1)",
       "POST /v1/sync HTTP/1.0\r\n" + host + json + "Transfer-Encoding: chunked\r\n\r\n" + chunks, 400},
      {"not with GET (9112 6.3)", "GET /v1/sync HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n" + chunks,
       411},
      {"no name with a blank (9112 5.1)", of("Transfer-Encoding : chunked\r\n" + length), 400},
      {"no folded one (9112 5.2)", of("Transfer-Encoding:\r\n chunked\r\n" + length), 400},
      {"a name that looks alike is another (9110 5.1)", fields("Transfer_Encoding: chunked\r\n" + length), 200,
       answered},
  };
}

void check(const RawClient& client, const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    const std::string said = client.raw(one.bytes + behind);
    // Before it s_client speaks of the certificate.
    const std::string answer = said.substr(std::min(said.find("HTTP/1.1 "), said.size()));
    INFO(one.rule << "\n" << one.bytes.substr(0, 400) << "\nis answered:\n" << answer.substr(0, 2'000));
    CHECK(answer.starts_with("HTTP/1.1 " + std::to_string(one.status) + " "));
    std::size_t answers = 0;
    for (std::size_t at = answer.find("HTTP/1.1 "); at != std::string::npos; at = answer.find("HTTP/1.1 ", at + 1))
      ++answers;
    CHECK(answers == (one.goes_on ? 2 : 1));
    if (one.goes_on) CHECK(answer.find("HTTP/1.1 404 ") != std::string::npos);
    CHECK(answer.find("\r\nConnection: close\r\n") != std::string::npos);
    CHECK(answer.find("\r\nStrict-Transport-Security: max-age=63072000\r\n") != std::string::npos);
    // The answer to HEAD is its head.
    if (one.bytes.starts_with("HEAD ")) CHECK(answer.find('{') == std::string::npos);
  }
}

}  // namespace

TEST_CASE("A request is answered as RFC 9110 and RFC 9112 say, and nothing behind a refusal") {
  const RawClient client;
  client.enrol();
  std::size_t all = 0;
  for (const auto& cases : {request_lines(), targets(), header_lines(), host_lines(), lengths(), codings()}) {
    check(client, cases);
    all += cases.size();
  }
  CHECK(all >= 150);
}
