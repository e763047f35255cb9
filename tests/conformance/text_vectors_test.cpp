// Texts, enrolment texts and hashes of the vectors.
#include <catch2/catch.hpp>

#include "codec/digest.h"
#include "core/text.h"
#include "engine/enrolment_text.h"
#include "vectors.h"

using namespace fieldsync;
using namespace fieldsync::conformance;

TEST_CASE("The vectors' texts have so many characters, or are none") {
  each_case(
      "texts",
      [](const object& one) {
        CHECK(core::count_characters(bytes_of(one, "bytes")) ==
              boost::json::value_to<std::size_t>(one.at("characters")));
      },
      [](const object& one) { return core::count_characters(bytes_of(one, "bytes")) ? "none" : "invalid_text"; });
}

TEST_CASE("The vectors' enrolment texts name a server, or are refused") {
  each_case(
      "enrolments",
      [](const object& one) {
        const auto read = engine::parse_enrolment(text_of(one, "text"));
        REQUIRE(read);
        CHECK(read->address == text_of(one, "host") + ":" + std::to_string(boost::json::value_to<int>(one.at("port"))));
        CHECK(read->code == text_of(one, "code"));
        std::vector<std::string> pins;
        for (const auto& pin : one.at("pins").as_array())
          pins.push_back(core::from_hex(std::string(pin.as_string())).value_or(""));
        CHECK(read->pins == pins);
      },
      [](const object& one) {
        const auto read = engine::parse_enrolment(text_of(one, "text"));
        return read ? "none" : code_of(read.error());
      });
}

TEST_CASE("The vectors' bytes hash to what they say") {
  each_case(
      "hashes",
      [](const object& one) {
        const std::uint64_t hash = codec::hash_bytes(bytes_of(one, "bytes"));
        CHECK(hash == std::stoull(text_of(one, "hash"), nullptr, 16));
      },
      [](const object&) { return "none"; });
}
