#include "codec/form_codec.h"

#include <catch2/catch.hpp>

#include "fieldsync/v1/form.pb.h"

using namespace fieldsync;

namespace {

const std::string good = R"(name: "visit" version: 2 labels { language: "en" text: "Visit" }
fields { number: 2 name: "beds" type: FIELD_TYPE_INTEGER confidentiality: CONFIDENTIALITY_TEAM labels { language: "en" text: "Beds" } }
fields { number: 1 name: "summary" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_TEAM labels { language: "en" text: "Summary" } }
)";

}  // namespace

TEST_CASE("A form's text and its bytes say the same, with the fields in order") {
  const auto parsed = codec::parse_form_text(good);
  REQUIRE(parsed);
  CHECK(parsed->form.name == "visit");
  CHECK(parsed->form.version == 2);
  REQUIRE(parsed->form.fields.size() == 2);
  CHECK(parsed->form.fields[0].name == "summary");
  const auto decoded = codec::decode_form(parsed->bytes);
  REQUIRE(decoded);
  CHECK(decoded->fields.size() == 2);
  CHECK(decoded->fields[1].type == core::FieldType::integer);
}

TEST_CASE("A mistake in a form's text is told with its line and column") {
  const auto parsed = codec::parse_form_text(good + "fields { numbr: 3 }\n");
  REQUIRE_FALSE(parsed);
  INFO(parsed.error().message());
  CHECK(parsed.error().message().find("line 4, column 15") != std::string::npos);
}

TEST_CASE("A form whose text is not UTF-8 is refused: no device could read a reply with it") {
  std::string text = good;
  text.replace(text.find("Visit"), 5, "\xC2\xE8\xE7\xE8\xF2");  // in Windows-1251
  const auto parsed = codec::parse_form_text(text);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == Errc::invalid_text);
}

TEST_CASE("A field without a known type, policy or confidentiality is refused") {
  const auto parsed = codec::parse_form_text(good);
  REQUIRE(parsed);
  v1::Form form;
  REQUIRE(form.ParseFromString(parsed->bytes));
  const auto refused = [](const v1::Form& wire) { return !codec::decode_form(wire); };
  v1::Form other = form;
  other.mutable_fields(0)->set_type(v1::FIELD_TYPE_UNSPECIFIED);
  CHECK(refused(other));
  other = form;
  other.mutable_fields(0)->set_type(static_cast<v1::FieldType>(99));
  CHECK(refused(other));
  other = form;
  other.mutable_fields(0)->set_policy(static_cast<v1::MergePolicy>(99));
  CHECK(refused(other));
  other = form;
  other.mutable_fields(0)->set_confidentiality(v1::CONFIDENTIALITY_UNSPECIFIED);
  CHECK(refused(other));
  CHECK_FALSE(refused(form));
}

TEST_CASE("Bytes that are no form are refused") {
  const auto decoded = codec::decode_form(std::string_view("\xff\xff"));
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code == Errc::malformed_request);
}
