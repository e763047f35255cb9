#include "core/form.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "support/core_builders.h"

using namespace fieldsync;
using namespace fieldsync::core;
using namespace fieldsync::testing;

namespace {

// The visit form after `change`; fields by their number less 1.
template <typename Change>
std::string_view verdict_after(Change change) {
  Form form = visit_form();
  change(form);
  return verdict_on(check_form(form));
}

template <typename Change>
std::string_view succession_after(Change change) {
  Form next = visit_form();
  next.version = 2;
  change(next);
  return verdict_on(check_succession(visit_form(), next));
}

// Whether a field of `type` may have `policy`.
bool may_merge_by(FieldType type, MergePolicy policy) {
  FormField field = form_field(1, "field", type, policy);
  if (type == FieldType::choice) field.choices = {{"a", {}}};
  Form form;
  form.name = "form";
  form.version = 1;
  form.fields = {field};
  return static_cast<bool>(check_form(form));
}

constexpr FieldType all_types[] = {FieldType::text,       FieldType::integer,    FieldType::number,
                                   FieldType::boolean,    FieldType::choice,     FieldType::date,
                                   FieldType::instant,    FieldType::reference,  FieldType::position,
                                   FieldType::attachment, FieldType::local_text, FieldType::group};

std::vector<FieldType> types_for(MergePolicy policy) {
  std::vector<FieldType> fitting;
  std::copy_if(std::begin(all_types), std::end(all_types), std::back_inserter(fitting),
               [&](FieldType type) { return may_merge_by(type, policy); });
  return fitting;
}

}  // namespace

TEST_CASE("a form with one field of every policy is in order", "[core][form]") {
  CHECK(verdict_after([](Form&) {}) == "accepted");
}

TEST_CASE("fields are found by number and by name", "[core][form]") {
  const Form form = visit_form();
  CHECK(form.find(fields::severity) == form.find("severity"));
  REQUIRE(form.find(fields::severity) != nullptr);
  CHECK(form.find(fields::severity)->number == fields::severity);
  CHECK(form.find(fields::unknown) == nullptr);
  CHECK(form.find(0u) == nullptr);
  CHECK(form.find("no_such_field") == nullptr);
  CHECK(Form{}.find(1u) == nullptr);
}

TEST_CASE("choices rank by their place in the form", "[core][form]") {
  const Form form = visit_form();
  CHECK(form.find("severity")->rank_of("low") == 0);
  CHECK(form.find("severity")->rank_of("high") == 2);
  CHECK_FALSE(form.find("severity")->rank_of("extreme").has_value());
}

TEST_CASE("a label is in the language asked for, else English, else the first, else the fallback", "[core][form]") {
  const std::vector<Label> labels = {{"ky", "Жай"}, {"en", "Place"}};
  CHECK(label_in(labels, "ky", "place") == "Жай");
  CHECK(label_in(labels, "tg", "place") == "Place");
  CHECK(label_in({{"ky", "Жай"}}, "tg", "place") == "Жай");
  CHECK(label_in({}, "tg", "place") == "place");
}

TEST_CASE("a form has a name of 1 to 64 letters, digits and underscores", "[core][form]") {
  CHECK(verdict_after([](Form& form) { form.name = std::string(64, 'a'); }) == "accepted");
  CHECK(verdict_after([](Form& form) { form.name = "visit_2"; }) == "accepted");
  for (const std::string& name :
       {std::string(), std::string(65, 'a'), std::string("Visit"), std::string("a b"), std::string("é")}) {
    CHECK(verdict_after([&](Form& form) { form.name = name; }) == "malformed_request");
  }
}

TEST_CASE("a form has a version of at least 1", "[core][form]") {
  CHECK(verdict_after([](Form& form) { form.version = 0; }) == "malformed_request");
}

TEST_CASE("a field has a name of its own", "[core][form]") {
  CHECK(verdict_after([](Form& form) { form.fields[0].name = ""; }) == "malformed_request");
  CHECK(verdict_after([](Form& form) { form.fields[0].name = "Place"; }) == "malformed_request");
  CHECK(verdict_after([](Form& form) { form.fields[0].name = std::string(65, 'a'); }) == "malformed_request");
  CHECK(verdict_after([](Form& form) { form.fields[0].name = "beds"; }) == "malformed_request");
}

TEST_CASE("a field has a number of its own from 1 to 65,535", "[core][form]") {
  CHECK(verdict_after([](Form& form) { form.fields.back().number = 65535; }) == "accepted");
  CHECK(verdict_after([](Form& form) { form.fields.back().number = 65536; }) == "malformed_request");
  CHECK(verdict_after([](Form& form) { form.fields[0].number = 0; }) == "malformed_request");
  CHECK(verdict_after([](Form& form) { form.fields[0].number = 2; }) == "malformed_request");
}

TEST_CASE("each merge policy fits some types and no others", "[core][form]") {
  const std::vector<FieldType> every(std::begin(all_types), std::end(all_types));
  std::vector<FieldType> all_but_group = every;
  all_but_group.pop_back();
  const std::vector ordered = {FieldType::integer, FieldType::number, FieldType::choice, FieldType::date,
                               FieldType::instant};

  CHECK(types_for(MergePolicy::keep_siblings) == every);
  CHECK(types_for(MergePolicy::set) == all_but_group);
  CHECK(types_for(MergePolicy::append) == all_but_group);
  CHECK(types_for(MergePolicy::per_author) == all_but_group);
  CHECK(types_for(MergePolicy::max) == ordered);
  CHECK(types_for(MergePolicy::min) == ordered);
  CHECK(types_for(MergePolicy::any) == std::vector{FieldType::boolean});
  CHECK(types_for(MergePolicy::most_restrictive) == std::vector{FieldType::choice});
  CHECK(types_for(MergePolicy::counter) == std::vector{FieldType::integer});
  CHECK(types_for(static_cast<MergePolicy>(99)).empty());
}

TEST_CASE("a choice field lists its choices and no other field does", "[core][form]") {
  CHECK(verdict_after([](Form& form) { form.fields[3].choices.clear(); }) == "malformed_request");
  CHECK(verdict_after([](Form& form) { form.fields[0].choices = {{"a", {}}}; }) == "malformed_request");
}

TEST_CASE("a choice has a code of its own", "[core][form]") {
  CHECK(verdict_after([](Form& form) { form.fields[3].choices[1].code = "low"; }) == "malformed_request");
  CHECK(verdict_after([](Form& form) { form.fields[3].choices[1].code = "very low"; }) == "malformed_request");
  CHECK(verdict_after([](Form& form) { form.fields[3].choices[1].code = ""; }) == "malformed_request");
}

TEST_CASE("a range holds at least one number", "[core][form]") {
  CHECK(verdict_after([](Form& form) { form.fields[1].range = Range{3, 3}; }) == "accepted");
  CHECK(verdict_after([](Form& form) { form.fields[1].range = Range{4, 3}; }) == "malformed_request");
}

TEST_CASE("a field's group exists, is a group and stands in no other", "[core][form]") {
  CHECK(verdict_after([](Form& form) { form.fields.back().group = 77; }) == "malformed_request");
  CHECK(verdict_after([](Form& form) { form.fields.back().group = fields::beds; }) == "malformed_request");
  CHECK(verdict_after([](Form& form) { form.fields.back() = form_field(12, "inner", FieldType::group); }) ==
        "accepted");
  CHECK(verdict_after([](Form& form) {
          form.fields.back() = form_field(12, "inner", FieldType::group);
          form.fields.back().group = fields::interviews;
        }) == "malformed_request");
}

TEST_CASE("a form is followed by one of a greater version", "[core][form]") {
  CHECK(succession_after([](Form&) {}) == "accepted");
  CHECK(succession_after([](Form& next) { next.version = 7; }) == "accepted");
  CHECK(succession_after([](Form& next) { next.version = 1; }) == "malformed_request");
  CHECK(succession_after([](Form& next) { next.version = 0; }) == "malformed_request");
}

TEST_CASE("a following form may add fields, choices and labels", "[core][form]") {
  CHECK(succession_after([](Form& next) {
          next.fields.push_back(form_field(13, "notes", FieldType::text));
          next.fields[3].choices.push_back({"extreme", {}});
          next.fields[0].labels.push_back({"ky", "Жай"});
        }) == "accepted");
}

TEST_CASE("a following form takes no field and no choice away", "[core][form]") {
  CHECK(succession_after([](Form& next) { next.fields.erase(next.fields.begin()); }) == "malformed_request");
  CHECK(succession_after([](Form& next) { next.fields[3].choices.pop_back(); }) == "malformed_request");
}

TEST_CASE("a following form changes no field's name, type, group or policy", "[core][form]") {
  CHECK(succession_after([](Form& next) { next.fields[0].name = "prison"; }) == "malformed_request");
  CHECK(succession_after([](Form& next) { next.fields[0].type = FieldType::local_text; }) == "malformed_request");
  CHECK(succession_after([](Form& next) { next.fields[0].policy = MergePolicy::append; }) == "malformed_request");
  CHECK(succession_after([](Form& next) { next.fields[0].group = fields::interviews; }) == "malformed_request");
}

TEST_CASE("A form is part of another by a reference field of the record itself") {
  Form form;
  form.name = "note";
  form.version = 1;
  FormField visit;
  visit.number = 1;
  visit.name = "visit";
  visit.type = FieldType::reference;
  FormField text;
  text.number = 2;
  text.name = "text";
  form.fields = {visit, text};
  form.part_of = "visit";
  CHECK(check_form(form));
  for (const char* wrong : {"text", "nothing"}) {
    form.part_of = wrong;
    CHECK_FALSE(check_form(form));
  }
}
