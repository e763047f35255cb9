// A store before and at its enrolment.
#include "app_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

TEST_CASE("Before enrolment there is a device, no person, and no sync") {
  AppOffice office;
  App app(office, App::Fresh{});
  const Identity identity = app->identity();
  CHECK_FALSE(identity.device.is_none());
  CHECK_FALSE(identity.enrolled);
  CHECK(identity.person.is_none());
  CHECK(verdict(app->sync({})) == "not_enrolled");
  CHECK(app.exchanges == 0);
}

TEST_CASE("Enrolment binds the device to its person, and the next sync brings scopes, forms and people") {
  AppOffice office;
  App app(office, App::Fresh{});
  const core::DeviceId device = app->identity().device;
  const Identity identity = must(app->enrol(office.enrolment_for(office.monitor), "A phone"));
  CHECK(identity.enrolled);
  CHECK(identity.device == device);
  CHECK(identity.person == office.monitor);
  CHECK(identity.person_name == "A person");
  CHECK(identity.server == "office.example:9443");
  CHECK(must(app->scopes()).empty());
  app.sync();
  const auto scopes = must(app->scopes());
  REQUIRE(scopes.size() == 1);
  CHECK(scopes[0].id == office.scope);
  CHECK(scopes[0].name == "Osh region");
  CHECK(scopes[0].role == "monitor");
  CHECK(must(app->forms()).size() == 4);
  CHECK(must(app->form("inspection")).fields.size() == 12);
  CHECK(verdict(app->form("diary")) == "unknown_form");
  app.restart();
  CHECK(app->identity().device == device);
  CHECK(app->identity().enrolled);
}

TEST_CASE("What is no enrolment text is refused before anybody is asked") {
  AppOffice office;
  App app(office, App::Fresh{});
  for (const char* wrong :
       {"", "0123456789ABC", "fieldsync:1:office:9443:0123456789ABC", "https://office.example:9443"}) {
    CHECK(verdict(app->enrol(wrong, "A phone")) == "invalid_argument");
  }
  CHECK(app.exchanges == 0);
  CHECK_FALSE(app->identity().enrolled);
}

TEST_CASE("A code that is wrong, used or expired does not enrol") {
  AppOffice office;
  App app(office, App::Fresh{});
  const std::string used = office.enrolment_for(office.monitor);
  App other(office, App::Fresh{});
  must(other->enrol(used, "Another phone"));
  const std::string expired = office.enrolment_for(office.monitor);
  office.now = office.now + core::Milliseconds{2};
  const std::string wrong = used.substr(0, used.size() - 13) + "0000000000000";
  for (const std::string& text : {used, expired, wrong}) {
    CHECK(verdict(app->enrol(text, "A phone")) == "enrolment_code_invalid");
    CHECK_FALSE(app->identity().enrolled);
    CHECK(app->identity().server.empty());
  }
}

TEST_CASE("A device stays its person's, whatever code it is given") {
  AppOffice office;
  App app(office);
  const core::DeviceId device = app->identity().device;
  const core::PersonId other = office.add_person(server::Role::monitor, office.scope);
  CHECK(verdict(app->enrol(office.enrolment_for(other), "A phone")) == "device_already_enrolled");
  CHECK(app->identity().person == office.monitor);
  app.sync();
  app.write("summary", text("Cell 4."));
  must(app->enrol(office.enrolment_for(office.monitor), "A phone"));
  CHECK(app->identity().device == device);
  CHECK(must(app->status()).saved_here == 1);
  app.sync();
  CHECK(must(app->status()).saved_here == 0);
}

TEST_CASE("A device that lost the answer to its enrolment enrols with a new code") {
  AppOffice office;
  App app(office, App::Fresh{});
  app.faults = {lost_reply()};
  CHECK(verdict(app->enrol(office.enrolment_for(office.monitor), "A phone")) == "connection_lost");
  CHECK_FALSE(app->identity().enrolled);
  app.restart();
  must(app->enrol(office.enrolment_for(office.monitor), "A phone"));
  CHECK(app->identity().person == office.monitor);
  app.sync();
}

TEST_CASE("The same code once more changes nothing") {
  AppOffice office;
  App app(office, App::Fresh{});
  const std::string text = office.enrolment_for(office.monitor);
  const core::DeviceId device = must(app->enrol(text, "A phone")).device;
  CHECK(must(app->enrol(text, "A phone")).device == device);
  app.sync();
}

TEST_CASE("An enrolled store refuses another office's text before anybody is asked") {
  AppOffice office;
  App app(office);
  const core::RecordId record = app.write("summary", text("Cell 4."));
  std::string other = office.enrolment_for(office.monitor);
  other.replace(other.find(std::string(64, 'a')), 64, std::string(64, 'b'));
  const int exchanges = app.exchanges;
  CHECK(verdict(app->enrol(other, "A phone")) == "not_permitted");
  CHECK(app.exchanges == exchanges);
  CHECK(app->identity().server == "office.example:9443");
  CHECK(must(app->read(record)).progress == Progress::saved_here);
  app.sync();
}

TEST_CASE("A store whose office has changed to its spare key enrols with the new text's pins") {
  AppOffice office;
  office.keep_copy();
  App app(office);
  office.restore_copy();
  std::string rotated = office.enrolment_for(office.monitor);
  rotated.insert(rotated.find(std::string(64, 'a')), std::string(64, 'b') + ":");
  office.pins = {std::string(32, '\xbb'), std::string(32, '\xaa')};
  must(app->enrol(rotated, "A phone"));
  app.sync();
}

TEST_CASE("An office that was restored to before a device's enrolment takes the device again, under its id") {
  AppOffice office;
  App reader(office);
  office.keep_copy();
  App app(office);
  const core::DeviceId device = app->identity().device;
  const core::RecordId record = app.write("summary", text("Cell 4."));
  app.sync();
  office.restore_copy();
  CHECK(verdict(app->sync({})) == "unknown_device");
  CHECK(must(app->enrol(office.enrolment_for(office.monitor), "A phone")).device == device);
  app.sync();
  reader.sync();
  CHECK(reader.shown(record, "summary") == Values{text("Cell 4.")});
}

TEST_CASE("... but not for another person: nothing goes out as theirs, and the right code still works") {
  AppOffice office;
  const core::PersonId other = office.add_person(server::Role::monitor, office.scope);
  App reader(office);
  office.keep_copy();
  App app(office);
  const core::RecordId record = app.write("summary", text("Cell 4."));
  app.sync();
  app.edit(record, "summary", text("Cell 5."));
  app.edit(record, "verdict", text("Unlawful."));
  office.restore_copy();
  CHECK(verdict(app->enrol(office.enrolment_for(other), "A phone")) == "not_permitted");
  CHECK(app->identity().person == office.monitor);
  CHECK(app.shown(record, "summary") == Values{text("Cell 5.")});
  CHECK(must(app->status()).saved_here == 3);
  CHECK(verdict(app->sync({})) == "unknown_device");
  CHECK(must(app->status()).saved_here == 3);
  app.restart();
  must(app->enrol(office.enrolment_for(office.monitor), "A phone"));
  app.sync();
  reader.sync();
  for (App* each : {&app, &reader}) {
    CHECK(each->shown(record, "summary") == Values{text("Cell 5.")});
    const RecordView view = must((*each)->read(record));
    REQUIRE(view.find("verdict")->values.size() == 1);
    CHECK(view.find("verdict")->values[0].author == office.monitor);
  }
}

TEST_CASE("A link that breaks, or an answer that is none, does not enrol") {
  AppOffice office;
  App app(office, App::Fresh{});
  const std::string text = office.enrolment_for(office.monitor);
  app.faults = {lost_request(Errc::offline), lost_request(Errc::server_untrusted),
                answer({200, "application/x-protobuf", "\xff"}), answer({200, "application/x-protobuf", ""}),
                answer({404, "text/html", "<h1>Not found</h1>"})};
  for (const char* expected :
       {"offline", "server_untrusted", "incompatible_server", "incompatible_server", "incompatible_server"}) {
    CHECK(verdict(app->enrol(text, "A phone")) == expected);
    CHECK_FALSE(app->identity().enrolled);
  }
  must(app->enrol(text, "A phone"));
}

TEST_CASE("The server's address can change, its form is checked") {
  AppOffice office;
  App app(office);
  CHECK(verdict(app->set_server("office.example")) == "invalid_argument");
  CHECK(app->identity().server == "office.example:9443");
  must(app->set_server("new.example:443"));
  CHECK(app->identity().server == "new.example:443");
}
