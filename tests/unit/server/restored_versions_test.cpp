// The versions by which devices ask for forms and names, where the server was started
// from an older copy: those that are lost must not pass for those that came after.
#include <set>

#include "service/form_publication.h"
#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

using Names = std::set<std::string>;

void import_form(TestOffice& office, const std::string& name) {
  const auto parsed =
      codec::parse_form_text("name: \"" + name + R"(" version: 1 labels { language: "en" text: "A form" }
    fields { number: 1 name: "title" type: FIELD_TYPE_TEXT confidentiality: CONFIDENTIALITY_TEAM
             labels { language: "en" text: "Title" } })");
  REQUIRE(parsed);
  REQUIRE(office.store->write(
      [&](server::WriteTransaction& transaction) { return server::publish_form(transaction, *parsed); }));
}

v1::SyncReply reply_to_who_knows(TestOffice& office, const TestDevice& device, const v1::SyncReply& known) {
  v1::SyncRequest request = device.request();
  request.set_forms_version(known.forms_version());
  request.set_directory_version(known.directory_version());
  const auto reply = office.sync(device, request);
  REQUIRE(reply);
  return *reply;
}

Names forms_in(const v1::SyncReply& reply) {
  Names names;
  for (const v1::Form& form : reply.forms()) names.insert(form.name());
  return names;
}

Names people_in(const v1::SyncReply& reply) {
  Names ids;
  for (const v1::Person& person : reply.people()) ids.insert(person.id());
  return ids;
}

}  // namespace

TEST_CASE("Who read what a restored office lost gets every form and name that it has, however often it changed since") {
  for (int changes = 1; changes <= 4; ++changes) {
    INFO(changes << " changes after the copy was started, 2 were lost");
    TestOffice office;
    const TestDevice device = office.add_device();
    office.keep_copy();
    for (const char* lost : {"lost", "lost_too"}) {
      import_form(office, lost);
      office.add_person(server::Role::monitor, office.scope);
    }
    const v1::SyncReply known = reply_to_who_knows(office, device, {});
    CHECK(forms_in(known) == Names{"facility", "lost", "lost_too", "visit"});
    office.restore_copy();
    Names forms{"facility", "visit"};
    Names people{std::string(office.monitor.view())};
    for (int i = 0; i < changes; ++i) {
      forms.insert("new_" + std::to_string(i));
      import_form(office, "new_" + std::to_string(i));
      people.insert(std::string(office.add_person(server::Role::monitor, office.scope).view()));
    }
    const v1::SyncReply reply = reply_to_who_knows(office, device, known);
    CHECK(forms_in(reply) == forms);
    CHECK(people_in(reply) == people);
    const v1::SyncReply next = reply_to_who_knows(office, device, reply);
    CHECK(forms_in(next).empty());
    CHECK(people_in(next).empty());
  }
}

TEST_CASE("Who knows what the copy knew gets only the forms that changed since") {
  TestOffice office;
  const TestDevice device = office.add_device();
  const v1::SyncReply known = reply_to_who_knows(office, device, {});
  office.keep_copy();
  import_form(office, "lost");
  office.restore_copy();
  import_form(office, "new");
  CHECK(forms_in(reply_to_who_knows(office, device, known)) == Names{"new"});
}
