// enrolment_text.h: what a coordinator hands to a monitor:
//   fieldsync:1:HOST:PORT:PIN:PIN:CODE
// The pins are SHA-256 of the server's key and of its spare, 64 hexadecimal
// digits each; the code is 17 letters and works once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace fieldsync::engine {

struct EnrolmentText {
  std::string address;            // "host:port"
  std::vector<std::string> pins;  // 32 bytes each
  std::string code;
};

[[nodiscard]] std::string format_enrolment(const EnrolmentText& enrolment);
// invalid_argument.
[[nodiscard]] Result<EnrolmentText> parse_enrolment(std::string_view text);

}  // namespace fieldsync::engine
