#include "fieldsync/json_value.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

using namespace fieldsync;
using namespace fieldsync::cli;
using core::FieldType;

namespace {

core::FormField field_of(FieldType type) {
  core::FormField field;
  field.name = "answer";
  field.type = type;
  return field;
}

Result<core::Value> parsed(FieldType type, const char* json) {
  const FindRecord find_nothing = [](std::string_view) -> Result<core::RecordId> { return Error{Errc::not_found, {}}; };
  return parse_json_value(field_of(type), boost::json::parse(json), find_nothing);
}

}  // namespace

TEST_CASE("JSON's own types and strings both give a value", "[cli][json]") {
  CHECK(*parsed(FieldType::integer, "12") == core::Value(std::int64_t{12}));
  CHECK(*parsed(FieldType::integer, "\"12\"") == core::Value(std::int64_t{12}));
  CHECK(*parsed(FieldType::number, "12") == core::Value(12.0));
  CHECK(*parsed(FieldType::number, "1.5") == core::Value(1.5));
  CHECK(*parsed(FieldType::boolean, "true") == core::Value(true));
  CHECK(*parsed(FieldType::boolean, "\"no\"") == core::Value(false));
  CHECK(*parsed(FieldType::local_text, R"({"language":"ky","text":"Ош"})") == core::Value(core::LocalText{"ky", "Ош"}));
  CHECK(*parsed(FieldType::local_text, R"("ky:Ош")") == core::Value(core::LocalText{"ky", "Ош"}));
}

TEST_CASE("a JSON value of another type is refused", "[cli][json]") {
  const std::vector<std::pair<FieldType, const char*>> wrong = {{FieldType::text, "5"},
                                                                {FieldType::integer, "1.5"},
                                                                {FieldType::integer, "18446744073709551615"},
                                                                {FieldType::boolean, "1"},
                                                                {FieldType::date, "{}"},
                                                                {FieldType::local_text, R"({"text":"x"})"},
                                                                {FieldType::local_text, "[\"x\"]"},
                                                                {FieldType::number, "null"}};
  for (const auto& [type, json] : wrong) {
    const auto value = parsed(type, json);
    INFO(json);
    REQUIRE_FALSE(value);
    CHECK(value.error().code == Errc::wrong_value_type);
  }
}

TEST_CASE("what is written as JSON is read as the same value", "[cli][json]") {
  const std::vector<std::pair<FieldType, core::Value>> values = {
      {FieldType::text, std::string("a\n\"b\"")},
      {FieldType::integer, INT64_MAX},
      {FieldType::number, 0.1},
      {FieldType::boolean, false},
      {FieldType::date, core::Date{20000}},
      {FieldType::instant, core::Instant{1795514400250}},
      {FieldType::reference, *core::RecordId::parse_hex(std::string(32, '7'))},
      {FieldType::position, core::Position{428746000, -745698001}},
      {FieldType::local_text, core::LocalText{"tg", "Зиндон"}}};
  for (const auto& [type, value] : values) {
    const std::string json = boost::json::serialize(value_json(value));
    INFO(json);
    const auto read = parsed(type, json.c_str());
    REQUIRE(read);
    CHECK(*read == value);
  }
}
