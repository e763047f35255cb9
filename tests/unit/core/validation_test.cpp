#include "core/validation.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "support/core_builders.h"

using namespace fieldsync;
using namespace fieldsync::core;
using namespace fieldsync::testing;

namespace {

const Form form = visit_form();

std::string_view verdict_on_writes(std::vector<FieldWrite> writes) {
  return verdict_on(check_operation(operation(op_id(1, 1), std::move(writes)), form));
}

std::string_view verdict_on_value(const Value& value, std::uint32_t field) {
  return verdict_on(check_value(value, form.find(field)));
}

std::vector<ValueId> values_seen(std::size_t count) {
  std::vector<ValueId> ids;
  for (std::uint64_t counter = 1; counter <= count; ++counter) ids.push_back(value_id(2, counter));
  return ids;
}

// One value for each type of field.
const std::vector<std::pair<Value, FieldType>> one_of_each = {
    {text("a"), FieldType::text},
    {text("a"), FieldType::group},
    {integer(1), FieldType::integer},
    {Value{1.5}, FieldType::number},
    {yes(), FieldType::boolean},
    {choice("a"), FieldType::choice},
    {date(1), FieldType::date},
    {Value{Instant{1}}, FieldType::instant},
    {Value{record(1)}, FieldType::reference},
    {Value{Position{1, 1}}, FieldType::position},
    {Value{Attachment{{{}, 1}}}, FieldType::attachment},
    {Value{LocalText{"ky", "a"}}, FieldType::local_text},
};

}  // namespace

TEST_CASE("an operation with one fitting value is accepted", "[core][validation]") {
  CHECK(verdict_on_writes({sets(key(fields::place_name), text("Osh"))}) == "accepted");
}

TEST_CASE("an operation without a record is malformed", "[core][validation]") {
  Operation edit = operation(op_id(1, 1), {sets(key(fields::place_name), text("Osh"))});
  edit.record = {};
  CHECK(verdict_on(check_operation(edit, form)) == "malformed_operation");
}

TEST_CASE("finalising is refused as not supported yet", "[core][validation]") {
  Operation edit = operation(op_id(1, 1), {});
  edit.kind = OperationKind::finalise;
  CHECK(verdict_on(check_operation(edit, form)) == "not_supported_yet");
}

TEST_CASE("an operation that writes nothing is malformed", "[core][validation]") {
  CHECK(verdict_on_writes({}) == "malformed_operation");
}

TEST_CASE("an operation has up to 1,000 writes", "[core][validation]") {
  std::vector<FieldWrite> writes(writes_per_operation_max, sets(key(fields::languages), text("ky")));
  CHECK(verdict_on_writes(writes) == "accepted");
  writes.push_back(writes.front());
  CHECK(verdict_on_writes(writes) == "too_many_elements");
}

TEST_CASE("an operation replaces up to 3,000 values over all its writes", "[core][validation]") {
  const FieldWrite most = sets(key(fields::place_name), text("a"), values_seen(replaces_per_operation_max - 1));
  CHECK(verdict_on_writes({most, sets(key(fields::verdict), text("a"), values_seen(1))}) == "accepted");
  CHECK(verdict_on_writes({most, sets(key(fields::verdict), text("a"), values_seen(2))}) == "too_many_elements");
  CHECK(verdict_on_writes({sets(key(existence_field), empty(), values_seen(replaces_per_operation_max + 1))}) ==
        "too_many_elements");
}

TEST_CASE("only sets, lists and unknown fields are written twice in one operation", "[core][validation]") {
  for (const FormField& field : form.fields) {
    const int in_item = field.group != 0 || field.type == FieldType::group ? 1 : 0;
    const FieldWrite write = sets(key(field.number, in_item), empty());
    const bool repeats = field.policy == MergePolicy::set || field.policy == MergePolicy::append;
    INFO(field.name);
    CHECK(verdict_on_writes({write, write}) == (repeats ? "accepted" : "malformed_operation"));
  }
  const FieldWrite unknown = sets(key(fields::unknown), text("a"));
  CHECK(verdict_on_writes({unknown, unknown}) == "accepted");
}

TEST_CASE("writes of one field that stand apart are malformed", "[core][validation]") {
  // Both would get place 0, and so one id: removing one would remove the other.
  for (const std::uint32_t field : {fields::place_name, fields::languages, fields::unknown}) {
    const FieldWrite write = sets(key(field), text("a"));
    INFO(field);
    CHECK(verdict_on_writes({write, sets(key(fields::verdict), text("b")), write}) == "malformed_operation");
  }
}

TEST_CASE("the existence field holds deletions and their undoing only", "[core][validation]") {
  CHECK(verdict_on_writes({sets(key(existence_field), Value{Deletion{}})}) == "accepted");
  CHECK(verdict_on_writes({sets(key(existence_field), empty())}) == "accepted");
  CHECK(verdict_on_writes({sets(key(existence_field, 1), Value{Deletion{}})}) == "accepted");
  CHECK(verdict_on_writes({sets(key(existence_field), yes())}) == "wrong_value_type");
  CHECK(verdict_on_writes({sets(key(existence_field), Value{SealedValue{}})}) == "wrong_value_type");
}

TEST_CASE("a deletion in any other field is of the wrong type", "[core][validation]") {
  CHECK(verdict_on_writes({sets(key(fields::place_name), Value{Deletion{}})}) == "wrong_value_type");
  CHECK(verdict_on_writes({sets(key(fields::unknown), Value{Deletion{}})}) == "wrong_value_type");
}

TEST_CASE("a field of a group is written in an item and no other is", "[core][validation]") {
  CHECK(verdict_on_writes({sets(key(fields::answer, 1), text("yes"))}) == "accepted");
  CHECK(verdict_on_writes({sets(key(fields::answer), text("yes"))}) == "wrong_context");
  CHECK(verdict_on_writes({sets(key(fields::interviews, 1), text("a"))}) == "accepted");
  CHECK(verdict_on_writes({sets(key(fields::interviews), text("a"))}) == "wrong_context");
  CHECK(verdict_on_writes({sets(key(fields::place_name, 1), text("Osh"))}) == "wrong_context");
}

TEST_CASE("a field that the form does not know takes any value in any place", "[core][validation]") {
  for (const auto& [value, type] : one_of_each) {
    CHECK(verdict_on_writes({sets(key(fields::unknown), value)}) == "accepted");
    CHECK(verdict_on_writes({sets(key(fields::unknown, 1), value)}) == "accepted");
  }
}

TEST_CASE("the second write of an operation is checked as the first", "[core][validation]") {
  CHECK(verdict_on_writes({sets(key(fields::place_name), text("Osh")), sets(key(fields::beds), text("4"))}) ==
        "wrong_value_type");
}

TEST_CASE("each type takes its own values, emptying and sealed ones, and no others", "[core][validation]") {
  for (const auto& [ignored, type] : one_of_each) {
    const FormField field = form_field(1, "field", type);
    CHECK(verdict_on(check_value(empty(), &field)) == "accepted");
    CHECK(verdict_on(check_value(SealedValue{}, &field)) == "accepted");
    for (const auto& [value, other] : one_of_each) {
      const bool same = other == type || (std::holds_alternative<std::string>(value) &&
                                          (type == FieldType::text || type == FieldType::group));
      INFO(static_cast<int>(type) << " given " << static_cast<int>(other));
      CHECK(verdict_on(check_value(value, &field)) == (same ? "accepted" : "wrong_value_type"));
    }
  }
}

TEST_CASE("text has up to 65,536 bytes, known field or not", "[core][validation]") {
  const std::string longest(text_bytes_max, 'a');
  for (const std::uint32_t field : {fields::place_name, fields::unknown}) {
    CHECK(verdict_on_value(text(longest), field) == "accepted");
    CHECK(verdict_on_value(text(longest + "a"), field) == "value_too_large");
    CHECK(verdict_on_value(LocalText{"ky", longest + "a"}, fields::unknown) == "value_too_large");
  }
}

TEST_CASE("a form's limit counts characters, not bytes", "[core][validation]") {
  FormField field = form_field(1, "note", FieldType::text);
  field.maximum_characters = 4;
  CHECK(verdict_on(check_value(text("Ошто"), &field)) == "accepted");
  CHECK(verdict_on(check_value(text("Оштон"), &field)) == "value_too_large");
  field.type = FieldType::local_text;
  CHECK(verdict_on(check_value(LocalText{"ky", "Оштон"}, &field)) == "value_too_large");
}

TEST_CASE("text that is not text is refused, known field or not", "[core][validation]") {
  CHECK(verdict_on_value(text("\xC3"), fields::place_name) == "invalid_text");
  CHECK(verdict_on_value(text("\xC3"), fields::unknown) == "invalid_text");
  CHECK(verdict_on_value(LocalText{"ky", "\x01"}, fields::unknown) == "invalid_text");
}

TEST_CASE("a local text says its language in 1 to 35 bytes", "[core][validation]") {
  CHECK(verdict_on_value(LocalText{std::string(35, 'a'), "x"}, fields::unknown) == "accepted");
  CHECK(verdict_on_value(LocalText{std::string(36, 'a'), "x"}, fields::unknown) == "invalid_text");
  CHECK(verdict_on_value(LocalText{"", "x"}, fields::unknown) == "invalid_text");
  CHECK(verdict_on_value(LocalText{"\xFF", "x"}, fields::unknown) == "invalid_text");
}

TEST_CASE("a whole number stays in the form's range", "[core][validation]") {
  for (const std::int64_t fitting : {0, 500}) CHECK(verdict_on_value(integer(fitting), fields::beds) == "accepted");
  for (const std::int64_t outside : {-1, 501})
    CHECK(verdict_on_value(integer(outside), fields::beds) == "value_out_of_range");
  const Result<void> refused = check_value(integer(501), form.find(fields::beds));
  CHECK(refused.error().message() == "The value of 'beds' must be from 0 to 500.");
}

TEST_CASE("a number is finite, not minus zero, and in the form's range", "[core][validation]") {
  FormField field = form_field(1, "share", FieldType::number);
  field.range = Range{-0.5, 0.5};
  CHECK(verdict_on(check_value(0.5, &field)) == "accepted");
  CHECK(verdict_on(check_value(-0.5, &field)) == "accepted");
  CHECK(verdict_on(check_value(std::nextafter(0.5, 1), &field)) == "value_out_of_range");
  for (const double bad : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN(), -0.0}) {
    CHECK(verdict_on_value(bad, fields::unknown) == "value_out_of_range");
  }
}

TEST_CASE("a choice is one of the form's", "[core][validation]") {
  CHECK(verdict_on_value(choice("high"), fields::severity) == "accepted");
  CHECK(verdict_on_value(choice("extreme"), fields::severity) == "value_out_of_range");
  CHECK(verdict_on_value(choice("extreme"), fields::unknown) == "accepted");
}

TEST_CASE("a choice's code has 1 to 64 bytes of text", "[core][validation]") {
  CHECK(verdict_on_value(choice(std::string(64, 'a')), fields::unknown) == "accepted");
  for (const std::string& code : {std::string(65, 'a'), std::string(), std::string("\xC0\x80")}) {
    CHECK(verdict_on_value(choice(code), fields::unknown) == "invalid_text");
  }
}

TEST_CASE("a position is on Earth", "[core][validation]") {
  for (const std::int32_t sign : {1, -1}) {
    CHECK(verdict_on_value(Position{sign * 900'000'000, sign * 1'800'000'000}, fields::unknown) == "accepted");
    CHECK(verdict_on_value(Position{sign * 900'000'001, 0}, fields::unknown) == "value_out_of_range");
    CHECK(verdict_on_value(Position{0, sign * 1'800'000'001}, fields::unknown) == "value_out_of_range");
  }
  CHECK(verdict_on_value(Position{INT32_MIN, INT32_MIN}, fields::unknown) == "value_out_of_range");
}

TEST_CASE("a sealed value has up to twice the bytes of a text", "[core][validation]") {
  CHECK(verdict_on_value(SealedValue{1, std::string(2 * text_bytes_max, 'x'), {}}, fields::place_name) == "accepted");
  CHECK(verdict_on_value(SealedValue{1, std::string(2 * text_bytes_max + 1, 'x'), {}}, fields::place_name) ==
        "value_too_large");
}

TEST_CASE("a sealed or safety field takes nothing in the clear but emptying", "[core][validation]") {
  for (const Confidentiality secret : {Confidentiality::sealed, Confidentiality::safety}) {
    FormField field = form_field(1, "informant", FieldType::text);
    field.confidentiality = secret;
    CHECK(verdict_on(check_value(text("name"), &field)) == "must_be_sealed");
    CHECK(verdict_on(check_value(text(""), &field)) == "must_be_sealed");
    CHECK(verdict_on(check_value(SealedValue{1, "box", {}}, &field)) == "accepted");
    CHECK(verdict_on(check_value(empty(), &field)) == "accepted");
  }
  for (const Confidentiality open : {Confidentiality::public_, Confidentiality::organisation, Confidentiality::team}) {
    FormField field = form_field(1, "note", FieldType::text);
    field.confidentiality = open;
    CHECK(verdict_on(check_value(text("name"), &field)) == "accepted");
  }
}

TEST_CASE("an operation holds an open secret where any of its writes does", "[core][validation]") {
  Form secretive = visit_form();
  secretive.fields[7].confidentiality = Confidentiality::sealed;
  const FieldWrite harmless = sets(key(fields::place_name), text("Osh"));
  const auto holds_secret = [&](FieldWrite write) {
    return holds_open_secret(operation(op_id(1, 1), {harmless, std::move(write)}), secretive);
  };
  CHECK(holds_secret(sets(key(fields::verdict), text("beaten"))));
  CHECK_FALSE(holds_secret(sets(key(fields::verdict), Value{SealedValue{1, "box", {}}})));
  CHECK_FALSE(holds_secret(sets(key(fields::verdict), empty())));
  CHECK_FALSE(holds_secret(sets(key(fields::unknown), text("beaten"))));
  // Of the wrong type for the field, and a secret all the same.
  CHECK(holds_secret(sets(key(fields::verdict), integer(3))));
}

TEST_CASE("an attachment has a size, a name and a media type that can be", "[core][validation]") {
  const auto verdict = [](const auto& change) {
    Attachment attachment{{{}, 1}};
    change(attachment);
    return verdict_on_writes({sets(key(fields::unknown), Value{attachment})});
  };
  CHECK(verdict([](Attachment& a) { a.file.size = attachment_bytes_max; }) == "accepted");
  CHECK(verdict([](Attachment& a) { a.file.size = attachment_bytes_max + 1; }) == "value_too_large");
  CHECK(verdict([](Attachment& a) { a.file.size = 0; }) == "value_too_large");
  CHECK(verdict([](Attachment& a) { a.preview = AttachmentFile{{}, preview_bytes_max}; }) == "accepted");
  CHECK(verdict([](Attachment& a) { a.preview = AttachmentFile{{}, preview_bytes_max + 1}; }) == "value_too_large");
  CHECK(verdict([](Attachment& a) { a.preview.emplace(); }) == "value_too_large");
  for (const char* name : {"", "IMG_1.jpg", "Камера № 4.jpg", "...", "a.tar.gz"})
    CHECK(verdict([&](Attachment& a) { a.name = name; }) == "accepted");
  for (const char* name : {".", "..", "a/b", "a\\b", "a\nb", "a\tb", "\xff", "\x07"})
    CHECK(verdict([&](Attachment& a) { a.name = name; }) == "invalid_text");
  CHECK(verdict([](Attachment& a) { a.name.assign(255, 'n'); }) == "accepted");
  CHECK(verdict([](Attachment& a) { a.name.assign(256, 'n'); }) == "invalid_text");
  for (const char* type : {"image/jpeg", "application/vnd.oasis.opendocument.text", ""})
    CHECK(verdict([&](Attachment& a) { a.media_type = type; }) == "accepted");
  for (const char* type : {"image", "/jpeg", "image/", "Image/jpeg", "a/b/c", "image/jpeg; q=1"})
    CHECK(verdict([&](Attachment& a) { a.media_type = type; }) == "invalid_text");
  CHECK(verdict([](Attachment& a) { a.media_type = "a/" + std::string(126, 'b'); }) == "invalid_text");
}
