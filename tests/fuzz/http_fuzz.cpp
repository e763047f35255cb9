// http_fuzz.cpp: the head of a request, as the server reads it and as it refuses it.
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <string>

#include "fuzz/input.h"
#include "fuzz/must_hold.h"
#include "fuzz/target.h"
#include "http/request_head.h"

namespace {

using namespace fieldsync;
using fuzz::must_hold;
namespace http = boost::beast::http;

constexpr std::size_t body_bytes_max = 4096;

struct Outcome {
  bool waits = false;  // for the end of the head
  bool whole = false;  // head and body arrived
  std::optional<Errc> refused;
  std::string head;
  std::string body;
  bool operator==(const Outcome&) const = default;
};

bool is_printable(std::string_view text) {
  return text.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos;
}

// What the gate lets through every reader takes for the same.
void check_head(const server::RequestParser& parser, const server::Request& head) {
  must_hold(is_printable(head.method) && !head.method.empty(), "a method is a word");
  must_hold(is_printable(head.target) && head.target.find(' ') == std::string::npos,
            "a target is one line without blanks");
  for (const std::string* value : {&head.content_type, &head.content_encoding, &head.accept, &head.range}) {
    must_hold(is_printable(*value), "a header's value is one line");
  }
  must_hold(!parser.chunked(), "a body has a declared length");
  must_hold(parser.get().method_string() == head.method, "a method is the same to Beast");
  const std::string_view target(parser.get().target().data(), parser.get().target().size());
  must_hold(target.ends_with(head.target) || head.target.starts_with('/'), "a target is the same to Beast");
  must_hold(head.body_bytes == parser.content_length().value_or(0) && head.body_bytes <= body_bytes_max,
            "a body has its limit");
}

// `first` bytes arrive before the others.
Outcome read(std::string_view bytes, std::size_t first) {
  Outcome outcome;
  server::HeaderGate gate;
  std::optional<std::size_t> head_bytes;
  for (const std::size_t end : {std::min(first, bytes.size()), bytes.size()}) {
    if (head_bytes) break;
    const auto looked = gate.look(bytes.substr(0, end));
    if (!looked) {
      outcome.refused = looked.error().code;
      return outcome;
    }
    head_bytes = *looked;
  }
  if (!head_bytes) {
    outcome.waits = true;
    return outcome;
  }
  must_hold(*head_bytes - gate.empty_line_bytes() <= server::head_bytes_max, "a head has its limit");
  server::RequestParser parser;
  server::set_limits(parser, body_bytes_max);
  boost::system::error_code error;
  std::size_t used = gate.empty_line_bytes();
  while (!parser.is_header_done() && used < *head_bytes) {
    const std::size_t taken = parser.put(boost::asio::buffer(bytes.data() + used, *head_bytes - used), error);
    used += taken;
    if (error || taken == 0) break;
  }
  if (const auto problem = server::head_problem(error)) {
    must_hold(problem->code == Errc::request_too_large, "what the gate lets through is HTTP to Beast too");
    outcome.refused = problem->code;
    return outcome;
  }
  must_hold(parser.is_header_done() && used == *head_bytes, "the gate and Beast find the same end of a head");
  const server::Request head = server::plain_head(parser, gate, {});
  check_head(parser, head);
  outcome.head = head.method + ' ' + head.target + '\n' + head.content_type + '\n' + head.content_encoding + '\n' +
                 head.accept + '\n' + head.range + (head.expects_continue ? "\nwaits" : "");
  while (!parser.is_done() && used < bytes.size()) {
    const std::size_t taken = parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
    used += taken;
    if (error || taken == 0) break;
  }
  outcome.whole = parser.is_done();
  outcome.body = parser.get().body();
  must_hold(outcome.body.size() <= body_bytes_max, "no more of a body is read than the limit");
  if (outcome.whole && parser.content_length())
    must_hold(outcome.body.size() == *parser.content_length(), "a body is as long as declared");
  return outcome;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const std::size_t cut = input.number();
  const std::string_view bytes = input.rest();
  const Outcome at_once = read(bytes, bytes.size());
  const Outcome in_parts = read(bytes, bytes.empty() ? 0 : cut % bytes.size());
  must_hold(in_parts == at_once, "a request is read the same however it arrives");
  return 0;
}
