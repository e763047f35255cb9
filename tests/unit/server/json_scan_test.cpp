#include "handlers/json_scan.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>

using namespace fieldsync;
using namespace fieldsync::server;

namespace {

// Nothing where it is let through.
std::optional<Errc> problem_of(const std::string& text) {
  const auto scanned = scan_json(text);
  return scanned ? std::nullopt : std::optional(scanned.error().code);
}

std::string brackets(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

TEST_CASE("JSON may nest as deeply as a message, and no deeper") {
  CHECK(problem_of(brackets(json_depth_max)) == std::nullopt);
  CHECK(problem_of(brackets(json_depth_max + 1)) == Errc::malformed_request);
  CHECK(problem_of(R"({"a":)" + brackets(json_depth_max) + "}") == Errc::malformed_request);
  CHECK(problem_of(brackets(20) + brackets(20)) == std::nullopt);
}

TEST_CASE("JSON may have as many elements as a message, and no more") {
  const auto list_of = [](std::size_t count) {
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i) text += "1,";
    return text + "1]";
  };
  CHECK(problem_of(list_of(json_elements_max - 1)) == std::nullopt);
  CHECK(problem_of(list_of(json_elements_max)) == Errc::too_many_elements);
}

TEST_CASE("Brackets within a string do not count, those behind it do") {
  const std::string deep = brackets(json_depth_max + 1);
  CHECK(problem_of(R"({"a":")" + deep + R"("})") == std::nullopt);
  CHECK(problem_of(R"({"a":"\")" + deep + R"("})") == std::nullopt);
  CHECK(problem_of(R"({"a":"\\")" + deep + "}") == Errc::malformed_request);
  // protobuf's parser would read a string of one quote, and then the brackets.
  CHECK(problem_of(R"({'"':)" + deep + "}") == Errc::malformed_request);
}
