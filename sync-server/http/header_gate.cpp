#include "http/header_gate.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fieldsync::server {
namespace {

// RFC 9110 section 9.3 and RFC 5789: those that an address may refuse with 405. Others are not known.
constexpr std::array<std::string_view, 9> known_methods = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                           "CONNECT", "OPTIONS", "TRACE", "PATCH"};

Error malformed(const char* sentence) { return {Errc::malformed_request, sentence}; }

bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
bool is_letter(char byte) { return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'); }
bool is_hex(char byte) { return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F'); }
bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char byte) {
    return is_digit(byte) || is_letter(byte) ||
           std::string_view("!#$%&'*+-.^_`|~").find(byte) != std::string_view::npos;
  });
}

// RFC 9110 section 5.5: no control character but the tab.
bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char byte) {
    const auto code = static_cast<unsigned char>(byte);
    return byte == '\t' || (code >= 0x20 && code != 0x7f);
  });
}

// Characters of RFC 3986 section 2, with whole percent-encodings and none of a NUL.
bool is_of(std::string_view text, std::string_view others) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char byte = text[i];
    if (byte == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      if (text[i + 1] == '0' && text[i + 2] == '0') return false;
      i += 2;
      continue;
    }
    const bool known = is_digit(byte) || is_letter(byte) ||
                       std::string_view("-._~!$&'()*+,;=").find(byte) != std::string_view::npos ||
                       others.find(byte) != std::string_view::npos;
    if (!known) return false;
  }
  return true;
}

bool is_port(std::string_view text) {
  if (text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  unsigned port = 0;
  for (const char digit : text) port = port * 10 + static_cast<unsigned>(digit - '0');
  return port <= 65'535;
}

// host [ ":" port ], RFC 3986 section 3.2.2. An https address has a host (RFC 9110 section 4.2.2).
bool is_authority(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    const std::string_view address = text.substr(1, end - 1);
    const bool is_address = std::all_of(address.begin(), address.end(),
                                        [](char byte) { return is_hex(byte) || byte == ':' || byte == '.'; });
    const std::string_view rest = text.substr(end + 1);
    return is_address && address.find(':') != std::string_view::npos &&
           (rest.empty() || (rest.front() == ':' && is_port(rest.substr(1))));
  }
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  return !name.empty() && is_of(name, "") && (colon == std::string_view::npos || is_port(text.substr(colon + 1)));
}

bool same_letters(std::string_view one, std::string_view other) {
  const auto lower = [](char byte) { return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte; };
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [&](char a, char b) { return lower(a) == lower(b); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Tokens with commas between, some of them perhaps missing (RFC 9110 section 5.6.1.2).
bool is_token_list(std::string_view text) {
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view one = trimmed(text.substr(0, comma));
    if (!one.empty() && !is_token(one)) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<std::optional<std::size_t>> HeaderGate::look(std::string_view arrived) {
  while (true) {
    const std::string_view rest = arrived.substr(line_at_);
    const std::size_t end = rest.find_first_of(std::string_view("\r\n\0", 3));
    const bool is_cut = end == std::string_view::npos || (rest[end] == '\r' && end + 1 == rest.size());
    // Also where the rest of the line has not come yet.
    const std::size_t bytes = std::min(arrived.size(), line_at_ + (is_cut ? rest.size() : end + 2)) - empty_line_bytes_;
    if (lines_ == 0 && bytes > request_line_bytes_max) return Error{Errc::uri_too_long, {}};
    if (bytes > head_bytes_max) return Error{Errc::header_too_large, {}};
    if (is_cut) return std::optional<std::size_t>();
    if (rest[end] == '\0') return malformed("The request's head holds a NUL.");
    if (rest[end] == '\n' || rest[end + 1] != '\n')
      return malformed("Each line of a request's head ends with CR and LF, which stand nowhere else.");
    const std::string_view line = rest.substr(0, end);
    line_at_ += end + 2;
    if (line.empty() && lines_ == 0 && empty_line_bytes_ == 0) {
      empty_line_bytes_ = line_at_;
      continue;
    }
    if (line.empty() && lines_ > 0) {
      if (auto sound = this->end(); !sound) return sound.error();
      return std::optional(line_at_);
    }
    ++lines_;
    if (lines_ > head_lines_max) return Error{Errc::header_too_large, {}};
    if (auto taken = lines_ == 1 ? take_request_line(line) : take_field(line); !taken) return taken.error();
  }
}

Result<void> HeaderGate::take_request_line(std::string_view line) {
  const Error not_three =
      malformed("A request begins with its method, its target and HTTP/1.1, with one space between.");
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return not_three;
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(method) || target.empty() || target.find(' ') != std::string_view::npos) return not_three;
  method_ = method;
  if (version.size() != 8 || !version.starts_with("HTTP/") || !is_digit(version[5]) || version[6] != '.' ||
      !is_digit(version[7]))
    return not_three;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return Error{Errc::http_version_not_supported, {}};
  is_http_1_0_ = version == "HTTP/1.0";
  if (std::find(known_methods.begin(), known_methods.end(), method) == known_methods.end())
    return Error{Errc::not_implemented, "The server does not know this method."};
  return take_target(target);
}

// RFC 9112 section 3.2.
Result<void> HeaderGate::take_target(std::string_view target) {
  const Error bad = malformed("The request's target is no address of this server.");
  if (method_ == "CONNECT") {
    // Its port is not optional (RFC 9110 section 9.3.6).
    const std::size_t colon = target.find_last_of(':');
    const bool has_port = colon != std::string_view::npos && is_digit(target.back());
    if (!is_authority(target) || !has_port) return bad;
    target_ = target;
    return {};
  }
  if (target == "*" && method_ == "OPTIONS") {
    target_ = target;
    return {};
  }
  constexpr std::string_view scheme = "https://";
  if (!target.starts_with('/')) {
    if (target.size() < scheme.size() || !same_letters(target.substr(0, scheme.size()), scheme)) return bad;
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    authority_ = target.substr(0, end);
    if (!is_authority(authority_)) return bad;
    target.remove_prefix(end);
  }
  if (!is_of(target, "/?:@")) return bad;
  target_ = target.starts_with('/') ? std::string(target) : "/" + std::string(target);
  return {};
}

Result<void> HeaderGate::take_field(std::string_view line) {
  // Folded lines (RFC 9112 section 5.2) begin with a blank, and so have no name.
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    return malformed("Each line of a request's header is a name, a colon right behind it, and a value.");
  const std::string_view name = line.substr(0, colon);
  const std::string_view as_sent = line.substr(colon + 1);
  const std::string_view value = trimmed(as_sent);
  if (!is_field_value(value)) return malformed("A header's value holds a control character.");
  if (same_letters(name, "Host")) return take_host(value);
  // RFC 9110 section 5.6.3 allows a tab around a value; other parsers take none around a length.
  if (same_letters(name, "Content-Length")) {
    if (as_sent.find('\t') != std::string_view::npos) return malformed("The Content-Length is no number.");
    return take_length(value);
  }
  if (same_letters(name, "Transfer-Encoding")) {
    transfer_coding_ = transfer_coding_ ? *transfer_coding_ + "," + std::string(value) : std::string(value);
    return {};
  }
  const bool says_connection = same_letters(name, "Connection") || same_letters(name, "Proxy-Connection");
  if (says_connection && !is_token_list(value)) return malformed("The Connection is no list of options.");
  if (same_letters(name, "Content-Type") && std::exchange(has_content_type_, true))
    return malformed("There is more than one Content-Type.");
  if (same_letters(name, "Expect") && !same_letters(value, "100-continue")) has_odd_expectation_ = true;
  return {};
}

Result<void> HeaderGate::take_host(std::string_view value) {
  if (host_) return malformed("There is more than one Host.");
  if (!is_authority(value)) return malformed("The Host is no host.");
  host_ = value;
  return {};
}

Result<void> HeaderGate::take_length(std::string_view value) {
  if (length_) return malformed("There is more than one Content-Length.");
  constexpr std::size_t digits_max = 18;  // less than 2^63
  if (value.empty() || !std::all_of(value.begin(), value.end(), is_digit))
    return malformed("The Content-Length is no number.");
  if (value.size() > digits_max) return Error{Errc::request_too_large, {}};
  length_ = 0;
  for (const char digit : value) *length_ = *length_ * 10 + static_cast<std::uint64_t>(digit - '0');
  return {};
}

Result<void> HeaderGate::end() {
  if (!host_ && !is_http_1_0_) return malformed("There must be one Host.");
  if (!authority_.empty() && host_ && !same_letters(*host_, authority_))
    return malformed("The Host is not that of the request's target.");
  if (transfer_coding_) {
    // RFC 9112 sections 6.1 and 6.3: a length that could be read in two ways, or that has no end.
    if (length_ || is_http_1_0_)
      return malformed("A Transfer-Encoding beside a Content-Length, or in HTTP/1.0, is none.");
    const std::size_t comma = transfer_coding_->rfind(',');
    const std::string_view last =
        trimmed(std::string_view(*transfer_coding_).substr(comma == std::string::npos ? 0 : comma + 1));
    if (!same_letters(last, "chunked"))
      return malformed("A Transfer-Encoding that does not end with chunked has no end.");
    if (comma != std::string::npos) return Error{Errc::not_implemented, "No transfer coding is understood."};
    return Error{Errc::length_required, "Transfer-Encoding is not accepted: send one Content-Length."};
  }
  if (has_odd_expectation_) return Error{Errc::expectation_failed, {}};
  if ((method_ == "POST" || method_ == "PUT") && !length_) return Error{Errc::length_required, {}};
  const bool takes_none = method_ == "GET" || method_ == "HEAD" || method_ == "CONNECT" || method_ == "TRACE";
  if (takes_none && length_.value_or(0) > 0) return malformed("A request with this method carries no content.");
  return {};
}

}  // namespace fieldsync::server
