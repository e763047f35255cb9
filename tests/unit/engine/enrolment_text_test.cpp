#include "engine/enrolment_text.h"

#include <catch2/catch.hpp>

using namespace fieldsync;

namespace {

const std::string pin(32, '\x5a');
const std::string spare(32, '\xa5');
const engine::EnrolmentText sample{"office.example:9443", {pin, spare}, "0123456789ABCDEFG"};

std::string_view verdict_on(const std::string& text) {
  const auto parsed = engine::parse_enrolment(text);
  return parsed ? std::string_view("read") : describe(parsed.error().code).name;
}

}  // namespace

TEST_CASE("An enrolment text is read as it was written, also with the blank or newline that copying adds") {
  const std::string text = engine::format_enrolment(sample);
  for (const char* added : {"", "\n", " ", " \n\n"}) {
    const auto parsed = engine::parse_enrolment(text + added);
    REQUIRE(parsed);
    CHECK(parsed->address == sample.address);
    CHECK(parsed->pins == sample.pins);
    CHECK(parsed->code == sample.code);
  }
}

TEST_CASE("An IPv6 address keeps its colons") {
  engine::EnrolmentText enrolment = sample;
  enrolment.address = "[2001:db8::7]:9443";
  const auto parsed = engine::parse_enrolment(engine::format_enrolment(enrolment));
  REQUIRE(parsed);
  CHECK(parsed->address == enrolment.address);
}

TEST_CASE("A text with a part missing is refused") {
  const std::string hex_pin(64, 'a');
  const std::string code = sample.code;
  CHECK(verdict_on("fieldsync:1:office:9443:" + hex_pin + ":" + code) == "read");
  const std::vector<std::string> texts{"",
                                       "fieldsync:1:",
                                       "fieldsync:2:office:9443:" + hex_pin + ":" + code,
                                       "office:9443:" + hex_pin + ":" + code,
                                       "fieldsync:1:office:9443:" + code,
                                       "fieldsync:1:office:9443:" + hex_pin + ":",
                                       "fieldsync:1:office:" + hex_pin + ":" + code,
                                       "fieldsync:1:office:9443:" + hex_pin.substr(1) + ":" + code,
                                       "fieldsync:1:office:9443:" + std::string(64, 'g') + ":" + code,
                                       "fieldsync:1:office:9443:" + hex_pin + ":" + code.substr(1),
                                       "fieldsync:1:office:9443:" + hex_pin + ":" + code.substr(1) + "U",
                                       "fieldsync:1:office:0:" + hex_pin + ":" + code,
                                       "fieldsync:1:office:65536:" + hex_pin + ":" + code,
                                       "fieldsync:1:office:https:" + hex_pin + ":" + code,
                                       "fieldsync:1::9443:" + hex_pin + ":" + code};
  for (const std::string& wrong : texts) {
    INFO(wrong);
    CHECK(verdict_on(wrong) == "invalid_argument");
  }
}

TEST_CASE("A code of another length is told how long it is") {
  for (const std::size_t length : {13U, 16U, 18U}) {
    const auto parsed =
        engine::parse_enrolment("fieldsync:1:office:9443:" + std::string(64, 'a') + ":" + std::string(length, 'A'));
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message().find(std::to_string(length) + " letters instead of 17") != std::string::npos);
  }
}
