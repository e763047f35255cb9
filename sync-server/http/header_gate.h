// header_gate.h: the head of a request, byte by byte, before any parser reads it. What passes is
// HTTP/1.1 as RFC 9110 and RFC 9112 write it, with no freedom in which two readers could differ: one
// space, CRLF, tokens, one Host, one length. Beast 1.81 lets through what they forbid.
//
// Stricter than they ask: no Transfer-Encoding (RFC 9112 section 6.3 allows 411), no content with GET or
// HEAD, 8 KiB and 64 lines. One empty line before the request is passed over (section 2.2).
//
// No I/O. After a refusal nothing of the connection may be read any more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace fieldsync::server {

inline constexpr std::size_t head_bytes_max = 8 * 1024;
inline constexpr std::size_t request_line_bytes_max = 2 * 1024;
inline constexpr std::size_t head_lines_max = 64;  // with the first

class HeaderGate {
 public:
  // `arrived`: everything from the request's first byte on; never less than at the last call.
  // How many bytes the head has; nothing where more is to come. Errors: malformed_request, uri_too_long,
  // header_too_large, http_version_not_supported, not_implemented, length_required, expectation_failed.
  [[nodiscard]] Result<std::optional<std::size_t>> look(std::string_view arrived);

  // The empty line before the request, which a parser must not see. Known with the head.
  [[nodiscard]] std::size_t empty_line_bytes() const { return empty_line_bytes_; }
  // As far as it is known: also of a request that is refused.
  [[nodiscard]] const std::string& method() const { return method_; }
  // Path and query, also where the request names the whole address (RFC 9112 section 3.2.2).
  [[nodiscard]] const std::string& target() const { return target_; }

 private:
  Result<void> take_request_line(std::string_view line);
  Result<void> take_target(std::string_view target);
  Result<void> take_field(std::string_view line);
  Result<void> take_host(std::string_view value);
  Result<void> take_length(std::string_view value);
  // Of the whole head.
  [[nodiscard]] Result<void> end();

  std::size_t line_at_ = 0;  // what is before it was looked at
  std::size_t lines_ = 0;
  std::size_t empty_line_bytes_ = 0;
  bool is_http_1_0_ = false;
  std::string method_;
  std::string target_;
  std::string authority_;  // that the target names
  std::optional<std::string> host_;
  std::optional<std::uint64_t> length_;
  std::optional<std::string> transfer_coding_;  // of all its lines, with commas between
  bool has_content_type_ = false;
  bool has_odd_expectation_ = false;
};

}  // namespace fieldsync::server
