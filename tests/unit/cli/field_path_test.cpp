#include "fieldsync/field_path.h"

#include <catch2/catch.hpp>

using namespace fieldsync;
using namespace fieldsync::cli;

namespace {

core::ItemId item_of(std::string_view first_digits) {
  return *core::ItemId::parse_hex(std::string(first_digits) + std::string(32 - first_digits.size(), '0'));
}

RecordView record_with_items() {
  RecordView record;
  for (const char* digits : {"3f2a", "3f9b", "77"}) record.fields.push_back({item_of(digits), 12, "note", {}, false});
  return record;
}

}  // namespace

TEST_CASE("a path names a field of the record or of one item", "[cli][path]") {
  const auto own = parse_field_path("summary");
  REQUIRE(own);
  CHECK((own->group.empty() && own->item.empty() && own->field == "summary"));
  const auto inner = parse_field_path("areas[3f2a].note");
  REQUIRE(inner);
  CHECK((inner->group == "areas" && inner->item == "3f2a" && inner->field == "note"));
}

TEST_CASE("what is not a path is refused with its forms", "[cli][path]") {
  for (const char* text : {"", "areas[3f2a]", "areas[].note", "[3f2a].note", "areas[3f2a].", "areas[3f2a"}) {
    const auto path = parse_field_path(text);
    INFO(text);
    REQUIRE_FALSE(path);
    CHECK(path.error().code == Errc::invalid_argument);
  }
}

TEST_CASE("an item is found by the first digits that only it has", "[cli][path]") {
  const RecordView record = record_with_items();
  const auto found = find_item(record, "3f2");
  REQUIRE(found);
  CHECK(*found == item_of("3f2a"));
  CHECK(find_item(record, "3f").error().code == Errc::ambiguous);
  CHECK(find_item(record, "88").error().code == Errc::not_found);
}

TEST_CASE("the path of a field in an item is read back and survives a shell", "[cli][path]") {
  core::Form form;
  core::FormField group;
  group.number = 10;
  group.name = "areas";
  group.type = core::FieldType::group;
  core::FormField note;
  note.number = 12;
  note.name = "note";
  note.group = 10;
  form.fields = {group, note};
  const std::string path = path_text(&form, item_of("3f2a"), "note");
  CHECK(path == "areas[3f2a0000].note");
  CHECK(quoted_path(path) == "'areas[3f2a0000].note'");
  CHECK(parse_field_path(path)->item == "3f2a0000");
  CHECK(path_text(&form, {}, "summary") == "summary");
  CHECK(path_text(nullptr, item_of("3f2a"), "field_12") == "item[3f2a0000].field_12");
}

TEST_CASE("an assignment ends at its first equals sign and has a value", "[cli][path]") {
  const auto assignment = parse_assignment("summary=a=b");
  REQUIRE(assignment);
  CHECK((assignment->path == "summary" && assignment->value == "a=b"));
  for (const char* text : {"summary", "=b", "summary="}) {
    CHECK(parse_assignment(text).error().code == Errc::invalid_argument);
  }
}
