// generic_refusal.h: what a refusal tells of the server's inside: nothing but an id, by which its log
// can be searched.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cctype>
#include <string>

namespace fieldsync::testing {

// What a refusal tells; empty where it tells nothing. `answer`: as it came, or its body alone. One that is no refusal
// is left alone.
inline std::string telling_in(const std::string& answer) {
  const std::string begins = "{\"code\":\"";
  if (!answer.starts_with(begins) && answer.find("\r\n\r\n" + begins) == std::string::npos) return {};
  const std::string id = "\"request_id\":\"";
  const std::size_t at = answer.find(id);
  if (at == std::string::npos) return "no id";
  const auto is_hex = [](unsigned char letter) { return std::isxdigit(letter) != 0; };
  const std::string digits = answer.substr(at + id.size(), 16);
  if (digits.size() < 16 || !std::all_of(digits.begin(), digits.end(), is_hex)) return "an id that is no number";
  std::string lower = answer;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char letter) { return std::tolower(letter); });
  for (const char* telling :
       {"/tmp",    "/home",        "/srv",      "/var",         ".cpp",  ".db",        "sqlite", "select ",
        "insert ", "constraint",   "openssl",   "boost",        "beast", "exception",  "std::",  "0x",
        "errno",   "no such file", "\nserver:", "x-powered-by", "0.1.0", "database or"}) {
    if (lower.find(telling) != std::string::npos) return telling;
  }
  return {};
}

inline void check_tells_nothing(const std::string& answer) {
  INFO(answer.substr(0, 2'000));
  CHECK(telling_in(answer).empty());
}

}  // namespace fieldsync::testing
