#include "fieldsync/value_text.h"

#include <catch2/catch.hpp>

#include "fieldsync/calendar.h"

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

core::FormField choice_field() {
  core::FormField field = field_of(FieldType::choice);
  field.choices = {{"ivs", {{"en", "Temporary detention"}, {"ru", "ИВС"}}},
                   {"sizo", {{"en", "Remand prison"}, {"ky", "Тергөө абагы"}}},
                   {"sizo_women", {{"en", "Remand prison"}}}};
  return field;
}

core::RecordId some_record() { return *core::RecordId::parse_hex("1a2b3c4d5e6f708192a3b4c5d6e7f809"); }

Result<core::RecordId> find_some_record(std::string_view prefix) {
  if (some_record().hex().starts_with(prefix)) return some_record();
  return Error{Errc::not_found, "No such record."};
}

core::Value parsed(const core::FormField& field, std::string_view text) {
  const auto value = parse_value(field, text, find_some_record);
  INFO(text);
  REQUIRE(value);
  return *value;
}

Errc refusal(const core::FormField& field, std::string_view text) {
  const auto value = parse_value(field, text, find_some_record);
  INFO(text);
  REQUIRE_FALSE(value);
  CHECK_FALSE(value.error().message().empty());
  return value.error().code;
}

const Reader kyrgyz_reader{"ky", [](const core::RecordId&) { return std::string("Ош ТКИ"); }};

std::string shown(const core::Value& value, const core::FormField& field) {
  return value_text(value, &field, kyrgyz_reader);
}

}  // namespace

TEST_CASE("text is taken as it was typed", "[cli][value]") {
  CHECK(parsed(field_of(FieldType::text), " a=b; ң\u0306 ") == core::Value(std::string(" a=b; ң\u0306 ")));
}

TEST_CASE("numbers are read whole or not at all", "[cli][value]") {
  const auto integer = field_of(FieldType::integer);
  CHECK(parsed(integer, "120") == core::Value(std::int64_t{120}));
  CHECK(parsed(integer, "-9223372036854775808") == core::Value(INT64_MIN));
  for (const char* text : {"", "12a", "1.5", " 1", "9223372036854775808", "+1"}) {
    CHECK(refusal(integer, text) == Errc::wrong_value_type);
  }
  const auto number = field_of(FieldType::number);
  CHECK(parsed(number, "3.5") == core::Value(3.5));
  CHECK_FALSE(std::signbit(std::get<double>(parsed(number, "-0"))));
  for (const char* text : {"", "3,5", "nan", "inf", "1e999"}) CHECK(refusal(number, text) == Errc::wrong_value_type);
}

TEST_CASE("yes and no are read in any case", "[cli][value]") {
  const auto boolean = field_of(FieldType::boolean);
  CHECK(parsed(boolean, "Yes") == core::Value(true));
  CHECK(parsed(boolean, "true") == core::Value(true));
  CHECK(parsed(boolean, "NO") == core::Value(false));
  CHECK(refusal(boolean, "maybe") == Errc::wrong_value_type);
}

TEST_CASE("a choice is read by its code or by a label that only one has", "[cli][value]") {
  const auto field = choice_field();
  CHECK(parsed(field, "sizo") == core::Value(core::Choice{"sizo"}));
  CHECK(parsed(field, "ивс") == core::Value(core::Choice{"ivs"}));
  CHECK(parsed(field, "тергөө абагы") == core::Value(core::Choice{"sizo"}));
  CHECK(refusal(field, "Remand prison") == Errc::ambiguous);
  CHECK(refusal(field, "colony") == Errc::value_out_of_range);
  CHECK(refusal(field, "") == Errc::value_out_of_range);
}

TEST_CASE("a choice is shown in the reader's language, else in English, else as its code", "[cli][value]") {
  const auto field = choice_field();
  CHECK(shown(core::Choice{"sizo"}, field) == "Тергөө абагы");
  CHECK(shown(core::Choice{"ivs"}, field) == "Temporary detention");
  CHECK(shown(core::Choice{"newer"}, field) == "newer");
}

TEST_CASE("only days of the calendar are dates", "[cli][value]") {
  const auto date = field_of(FieldType::date);
  CHECK(parsed(date, "1970-01-01") == core::Value(core::Date{0}));
  CHECK(parsed(date, "2024-02-29") == core::Value(core::Date{19782}));
  for (const char* text : {"2026-02-29", "2026-13-01", "2026-1-1", "24.11.2026", "2026-11-24x", ""}) {
    CHECK(refusal(date, text) == Errc::wrong_value_type);
  }
  CHECK(shown(core::Date{19782}, date) == "2024-02-29");
  CHECK(shown(core::Date{INT32_MIN}, date) == "@-2147483648");
}

TEST_CASE("an instant says its offset", "[cli][value]") {
  const auto instant = field_of(FieldType::instant);
  const core::Value ten{core::Instant{1795514400000}};
  CHECK(parsed(instant, "2026-11-24T10:00:00Z") == ten);
  CHECK(parsed(instant, "2026-11-24T16:00:00+06:00") == ten);
  CHECK(parsed(instant, "2026-11-24 16:00 +06:00") == ten);
  CHECK(parsed(instant, "2026-11-24T10:00:00.250Z") == core::Value(core::Instant{1795514400250}));
  CHECK(parsed(instant, "1969-12-31T23:59:59.999Z") == core::Value(core::Instant{-1}));
  for (const char* text : {"2026-11-24T10:00:00", "2026-11-24", "2026-11-24T24:00Z", "2026-11-24T10:00:00.Z", ""}) {
    CHECK(refusal(instant, text) == Errc::wrong_value_type);
  }
}

TEST_CASE("an instant for programs is in UTC, and one beyond the calendar is a count", "[cli][value]") {
  CHECK(rfc3339({1795514400000}) == "2026-11-24T10:00:00Z");
  CHECK(rfc3339({-1}) == "1969-12-31T23:59:59.999Z");
  CHECK(rfc3339({-62167219200000}) == "0000-01-01T00:00:00Z");
  CHECK(rfc3339({INT64_MAX}) == "@9223372036854775807");
  CHECK(rfc3339({INT64_MIN}) == "@-9223372036854775808");
}

TEST_CASE("a position is latitude and longitude on Earth", "[cli][value]") {
  const auto position = field_of(FieldType::position);
  const core::Value bishkek{core::Position{428746000, 745698000}};
  CHECK(parsed(position, "42.8746,74.5698") == bishkek);
  CHECK(parsed(position, "42.8746, 74.5698") == bishkek);
  CHECK(shown(bishkek, position) == "42.8746,74.5698");
  CHECK(parsed(position, "-90,180") == core::Value(core::Position{-900000000, 1800000000}));
  CHECK(refusal(position, "91,0") == Errc::value_out_of_range);
  CHECK(refusal(position, "42.8746") == Errc::wrong_value_type);
  CHECK(refusal(position, "42.8746,east") == Errc::wrong_value_type);
}

TEST_CASE("a reference is found by its first digits, and taken as it is in full", "[cli][value]") {
  const auto reference = field_of(FieldType::reference);
  CHECK(parsed(reference, "1a2b") == core::Value(some_record()));
  CHECK(refusal(reference, "ffff") == Errc::not_found);
  const std::string elsewhere(32, '7');
  CHECK(parsed(reference, elsewhere) == core::Value(*core::RecordId::parse_hex(elsewhere)));
  CHECK(shown(some_record(), reference) == "Ош ТКИ");
}

TEST_CASE("local text names its language", "[cli][value]") {
  const auto local = field_of(FieldType::local_text);
  const core::Value osh{core::LocalText{"ky", "Ош: ТКИ"}};
  CHECK(parsed(local, "ky:Ош: ТКИ") == osh);
  CHECK(shown(osh, local) == "ky:Ош: ТКИ");
  for (const char* text : {"Ош ТКИ", ":x", "a:x", "Бул жерде: x"}) {
    CHECK(refusal(local, text) == Errc::wrong_value_type);
  }
}

TEST_CASE("what is written is read as the same value", "[cli][value]") {
  const std::vector<std::pair<FieldType, core::Value>> values = {{FieldType::integer, std::int64_t{-7}},
                                                                 {FieldType::number, 0.1},
                                                                 {FieldType::number, -1e-7},
                                                                 {FieldType::boolean, true},
                                                                 {FieldType::date, core::Date{-719528}},
                                                                 {FieldType::instant, core::Instant{1795514400250}},
                                                                 {FieldType::position, core::Position{-1, 1799999999}},
                                                                 {FieldType::local_text, core::LocalText{"tg", ""}}};
  for (const auto& [type, value] : values) {
    const auto field = field_of(type);
    CHECK(parsed(field, shown(value, field)) == value);
  }
}

TEST_CASE("a group and an attachment are not typed as text", "[cli][value]") {
  CHECK(refusal(field_of(FieldType::group), "x") == Errc::wrong_value_type);
  CHECK(refusal(field_of(FieldType::attachment), "photo.jpg") == Errc::wrong_value_type);
}
