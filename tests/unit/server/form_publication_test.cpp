// The next version of a form at an office that already has values of its fields: a
// device had the version from an office that was restored since.
#include "service/form_publication.h"

#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

constexpr std::uint32_t later_field = 9;

codec::ParsedForm next_version(TestOffice& office, v1::MergePolicy policy) {
  v1::Form form;
  REQUIRE(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
    REQUIRE(form.ParseFromString(transaction.form("visit")->bytes));
    return {};
  }));
  form.set_version(form.version() + 1);
  v1::Field& field = *form.add_fields();
  field.set_number(later_field);
  field.set_name("later");
  field.set_type(v1::FIELD_TYPE_TEXT);
  field.set_policy(policy);
  field.set_confidentiality(v1::CONFIDENTIALITY_TEAM);
  v1::Label& label = *field.add_labels();
  label.set_language("en");
  label.set_text("Later");
  const std::string bytes = form.SerializeAsString();
  auto decoded = codec::decode_form(bytes);
  REQUIRE(decoded);
  return {std::move(*decoded), bytes};
}

Result<void> publish(TestOffice& office, const codec::ParsedForm& form) {
  return office.store->write(
      [&](server::WriteTransaction& transaction) { return server::publish_form(transaction, form); });
}

std::uint64_t open_conflicts(TestOffice& office) {
  std::uint64_t count = 0;
  REQUIRE(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
    count = transaction.counts().open_conflicts;
    return {};
  }));
  return count;
}

// Two devices that do not know of each other write both fields of one record.
void write_apart(TestOffice& office) {
  const core::RecordId record = new_record();
  for (const char* text : {"one", "another"}) {
    TestDevice device = office.add_device();
    core::FieldWrite later = writes_text(text);
    later.key.field = later_field;
    CHECK(office.push(device, {device.save(office.scope, record, {writes_text(text), later})}).results_size() == 0);
  }
}

}  // namespace

TEST_CASE("Values of a field that the office does not know are in conflict until it does") {
  TestOffice office;
  write_apart(office);
  CHECK(open_conflicts(office) == 2);
  REQUIRE(publish(office, next_version(office, v1::MERGE_POLICY_SET)));
  CHECK(open_conflicts(office) == 1);
}

TEST_CASE("A new version ends no conflict in which its policy keeps the values apart") {
  TestOffice office;
  write_apart(office);
  REQUIRE(publish(office, next_version(office, v1::MERGE_POLICY_REGISTER)));
  CHECK(open_conflicts(office) == 2);
}

TEST_CASE("A version that does not follow the one in use is refused and changes nothing") {
  TestOffice office;
  const auto next = next_version(office, v1::MERGE_POLICY_SET);
  REQUIRE(publish(office, next));
  const auto again = publish(office, next);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == Errc::malformed_request);
  check_sentence(again.error().message());
}

TEST_CASE("A form that says later of what its records are part takes up those that are there") {
  TestOffice office;
  TestDevice coordinators = office.add_device();
  const core::PersonId guest = office.add_person(server::Role::monitor, office.scope, server::ReadingMode::own);
  TestDevice guests = office.add_device(guest);
  office.have_notes();
  const auto form_of_notes = [&](std::uint32_t version, const char* part_of) {
    v1::Form form;
    REQUIRE(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
      REQUIRE(form.ParseFromString(transaction.form("note")->bytes));
      return {};
    }));
    form.set_name("remark");
    form.set_version(version);
    form.set_part_of(part_of);
    const std::string bytes = form.SerializeAsString();
    return codec::ParsedForm{*codec::decode_form(bytes), bytes};
  };
  REQUIRE(publish(office, form_of_notes(1, "")));
  const core::RecordId visit = new_record();
  const core::RecordId remark = new_record();
  office.push(coordinators, {coordinators.save(office.scope, visit, {writes_text("The visit.")})});
  office.push(coordinators, {coordinators.save(office.scope, remark,
                                               {{{{}, office_fields::part_of}, core::Value{visit}, {}}}, 0, "remark")});
  office.join(guest, visit);
  const auto held = [&] {
    office.pull(guests);
    return guests.records[std::string(office.scope.view())].size();
  };
  CHECK(held() == 1);
  REQUIRE(publish(office, form_of_notes(2, "visit")));
  CHECK(held() == 2);
  const auto changed = publish(office, form_of_notes(3, ""));
  REQUIRE_FALSE(changed);
  check_sentence(changed.error().message());
}
