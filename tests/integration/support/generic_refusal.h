// generic_refusal.h: what a refusal tells of the server's inside: nothing but an id, by which its log
// can be searched.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <cctype>
#include <string>

namespace fieldsync::testing {

// `answer`: as it came, or its body alone. One that is no refusal is left alone.
inline void check_tells_nothing(const std::string& answer) {
  const std::size_t problem = answer.find("\"code\":\"");
  if (problem == std::string::npos) return;
  INFO(answer.substr(0, 2'000));
  const std::string id = "\"request_id\":\"";
  const std::size_t at = answer.find(id);
  REQUIRE(at != std::string::npos);
  const auto is_hex = [](unsigned char letter) { return std::isxdigit(letter) != 0; };
  CHECK(std::all_of(answer.begin() + static_cast<std::ptrdiff_t>(at + id.size()),
                    answer.begin() + static_cast<std::ptrdiff_t>(at + id.size() + 16), is_hex));
  std::string lower = answer;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char letter) { return std::tolower(letter); });
  for (const char* telling :
       {"/tmp",    "/home",   "/srv",       "/var",         ".cpp",      ".db",          "sqlite",
        "select ", "insert ", "constraint", "openssl",      "boost",     "beast",        "exception",
        "std::",   "0x",      "errno",      "no such file", "\nserver:", "x-powered-by", "0.1.0"}) {
    INFO(telling);
    CHECK(lower.find(telling) == std::string::npos);
  }
}

}  // namespace fieldsync::testing
