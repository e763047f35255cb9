// What an edit replaces, and what it leaves alone.
#include "app_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

// Two monitors' apps that both hold one record.
struct Two {
  AppOffice office;
  App one{office};
  App two{office, office.add_person(server::Role::monitor, office.scope)};
  core::RecordId record;

  explicit Two(const std::string& field = "summary", core::Value value = text("Cell 4.")) {
    record = one.write(field, std::move(value));
    meet();
  }
  void meet() {
    one.sync();
    two.sync();
    one.sync();
  }
};

Values sorted(Values values) {
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

TEST_CASE("A new record is not stored before its first save") {
  AppOffice office;
  App app(office);
  RecordEditor editor = must(app->create("inspection", office.scope));
  CHECK(verdict(editor.save()) == "invalid_argument");
  must(editor.set("summary", text("Cell 4.")));
  CHECK(verdict(app->read(editor.id())) == "not_found");
  CHECK(must(app->status()).saved_here == 0);
  const SaveReceipt receipt = must(editor.save());
  CHECK(receipt.operation == core::OperationId{app->identity().device, 1});
  CHECK(app.shown(editor.id(), "summary") == Values{text("Cell 4.")});
  CHECK(editor.view().find("summary") != nullptr);
  app.restart();
  CHECK(app.shown(editor.id(), "summary") == Values{text("Cell 4.")});
  CHECK(must(app->status()).saved_here == 1);
}

TEST_CASE("A record needs a form and a scope that are known here") {
  AppOffice office;
  App app(office);
  CHECK(verdict(app->create("diary", office.scope)) == "unknown_form");
  CHECK(verdict(app->create("inspection", office.other_scope)) == "scope_not_found");
  CHECK(verdict(app->edit(record(1))) == "not_found");
}

TEST_CASE("What the form does not allow is refused at once, and the rest can still be saved") {
  AppOffice office;
  App app(office);
  RecordEditor editor = must(app->create("inspection", office.scope));
  must(editor.set("summary", text("Cell 4.")));
  CHECK(verdict(editor.set("nothing", text("x"))) == "unknown_field");
  CHECK(verdict(editor.set("beds", text("many"))) == "wrong_value_type");
  CHECK(verdict(editor.set("beds", integer(501))) == "value_out_of_range");
  CHECK(verdict(editor.set("summary", text(std::string(101, 'a')))) == "value_too_large");
  CHECK(verdict(editor.set("summary", text("\xff"))) == "invalid_text");
  CHECK(verdict(editor.set("witness", text("Azamat"))) == "must_be_sealed");
  CHECK(verdict(editor.set("cell_state", text("wet"))) == "invalid_argument");
  CHECK(verdict(editor.set("summary", text("x"), item(1))) == "invalid_argument");
  CHECK(verdict(editor.add_item("summary")) == "invalid_argument");
  CHECK(verdict(editor.remove("languages", text("ky"))) == "not_found");
  must(editor.save());
  CHECK(must(app->read(editor.id())).fields.size() == 1);
  CHECK(app.shown(editor.id(), "summary") == Values{text("Cell 4.")});
}

TEST_CASE("One save may hold 1 MiB, not more") {
  AppOffice office;
  App app(office);
  RecordEditor editor = must(app->create("inspection", office.scope));
  for (int i = 0; i < 17; ++i) must(editor.set("follow_up", text(std::to_string(100 + i) + std::string(65'000, 'a'))));
  CHECK(verdict(editor.save()) == "value_too_large");
  CHECK(must(app->status()).saved_here == 0);
}

TEST_CASE("The base is taken when the record is opened: what a sync brings meanwhile is not overwritten") {
  Two start;
  RecordEditor editor = start.two.open_editor(start.record);
  start.one.edit(start.record, "summary", text("Cell 4 has no window."));
  start.one.sync();
  start.two.sync();
  must(editor.set("summary", text("Cell 4 has no heating.")));
  must(editor.save());
  CHECK(start.two.in_conflict(start.record, "summary"));
  CHECK(sorted(start.two.shown(start.record, "summary")) ==
        Values{text("Cell 4 has no heating."), text("Cell 4 has no window.")});
  start.meet();
  CHECK(start.one.shown(start.record, "summary") == start.two.shown(start.record, "summary"));
}

TEST_CASE("Opening a field later takes its base anew") {
  Two start;
  RecordEditor editor = start.two.open_editor(start.record);
  start.one.edit(start.record, "summary", text("Cell 4 has no window."));
  start.one.sync();
  start.two.sync();
  CHECK(verdict(editor.open_field("nothing")) == "unknown_field");
  must(editor.open_field("summary"));
  must(editor.set("summary", text("Cell 4 has no window and no heating.")));
  must(editor.save());
  CHECK(start.two.shown(start.record, "summary") == Values{text("Cell 4 has no window and no heating.")});
  CHECK_FALSE(start.two.in_conflict(start.record, "summary"));
}

TEST_CASE("After a save the editor goes on from what it saved") {
  Two start;
  RecordEditor editor = start.two.open_editor(start.record);
  must(editor.set("summary", text("First.")));
  must(editor.save());
  must(editor.set("summary", text("Second.")));
  must(editor.save());
  start.meet();
  CHECK(start.one.shown(start.record, "summary") == Values{text("Second.")});
}

TEST_CASE("Resolve replaces what was seen, and not what came after") {
  Two start;
  start.one.edit(start.record, "summary", text("Window."));
  start.two.edit(start.record, "summary", text("Heating."));
  start.meet();
  REQUIRE(start.one.in_conflict(start.record, "summary"));
  RecordEditor editor = start.one.open_editor(start.record);
  App third(start.office);
  start.office.now = start.office.now + core::Milliseconds{1'000};
  third.edit(start.record, "summary", text("Light."));
  third.sync();
  start.one.sync();
  must(editor.resolve("summary", text("Window and heating.")));
  must(editor.save());
  start.meet();
  // The third text replaced the one that was shown; the resolution did not see it.
  CHECK(sorted(start.two.shown(start.record, "summary")) == Values{text("Light."), text("Window and heating.")});
  RecordEditor again = start.two.open_editor(start.record);
  must(again.resolve("summary", text("All three.")));
  must(again.save());
  start.meet();
  CHECK(start.one.shown(start.record, "summary") == Values{text("All three.")});
  CHECK(must(start.one->conflicts()).empty());
}

TEST_CASE("A plain edit of a conflict replaces only what was shown first") {
  Two start;
  start.one.edit(start.record, "summary", text("Window."));
  start.two.edit(start.record, "summary", text("Heating."));
  start.meet();
  const Values before = start.one.shown(start.record, "summary");
  REQUIRE(before.size() == 2);
  start.one.edit(start.record, "summary", text("Edited."));
  CHECK(sorted(start.one.shown(start.record, "summary")) == sorted({before[1], text("Edited.")}));
}

TEST_CASE("A person's verdict replaces their own, on whichever device, and nobody else's") {
  Two start("verdict", text("Bad."));
  start.two.edit(start.record, "verdict", text("Good."));
  App second_device(start.office);
  start.meet();
  second_device.sync();
  second_device.edit(start.record, "verdict", text("Very bad."));
  second_device.sync();
  start.meet();
  CHECK(sorted(start.one.shown(start.record, "verdict")) == Values{text("Good."), text("Very bad.")});
  CHECK_FALSE(start.one.in_conflict(start.record, "verdict"));
  CHECK(must(start.one->conflicts()).empty());
}

TEST_CASE("Counts of two screens and of two devices add up") {
  Two start("interviews", integer(1));
  RecordEditor screen = start.one.open_editor(start.record);
  RecordEditor other_screen = start.one.open_editor(start.record);
  must(screen.set("interviews", integer(2)));
  must(screen.set("interviews", integer(3)));
  must(other_screen.set("interviews", integer(10)));
  must(screen.save());
  must(other_screen.save());
  CHECK(start.one.shown(start.record, "interviews") == Values{integer(16)});
  start.two.edit(start.record, "interviews", integer(100));
  start.meet();
  CHECK(start.one.shown(start.record, "interviews") == Values{integer(116)});
  CHECK(start.two.shown(start.record, "interviews") == Values{integer(116)});
}

TEST_CASE("A count goes on when its field is looked at again after another screen counted") {
  Two start("interviews", integer(1));
  RecordEditor screen = start.one.open_editor(start.record);
  must(screen.set("interviews", integer(2)));
  start.one.edit(start.record, "interviews", integer(10));
  must(screen.open_field("interviews"));
  SECTION("saved as it is") {
    must(screen.save());
    CHECK(start.one.shown(start.record, "interviews") == Values{integer(13)});
  }
  SECTION("counted on") {
    must(screen.set("interviews", integer(100)));
    start.one.edit(start.record, "interviews", integer(1'000));
    must(screen.save());
    CHECK(start.one.shown(start.record, "interviews") == Values{integer(1'113)});
  }
  SECTION("cleared as it is now") {
    must(screen.clear("interviews"));
    must(screen.save());
    CHECK(start.one.shown(start.record, "interviews") == Values{integer(0)});
  }
  start.meet();
  CHECK(start.two.shown(start.record, "interviews") == start.one.shown(start.record, "interviews"));
}

TEST_CASE("Two screens that subtract at once cannot bring a count below its minimum") {
  Two start("held", integer(5));
  RecordEditor screen = start.one.open_editor(start.record);
  RecordEditor other_screen = start.one.open_editor(start.record);
  must(screen.set("held", integer(-4)));
  must(other_screen.set("held", integer(-3)));
  must(screen.save());
  CHECK(verdict(other_screen.save()) == "value_out_of_range");
  CHECK(start.one.shown(start.record, "held") == Values{integer(1)});
  // Nothing of it is lost: the person corrects it and saves.
  must(other_screen.set("held", integer(2)));
  must(other_screen.save());
  start.meet();
  CHECK(start.two.shown(start.record, "held") == Values{integer(0)});
  CHECK(must(start.one->status()).refused == 0);
}

TEST_CASE("What was cleared on one screen keeps what another screen counted meanwhile") {
  Two start("interviews", integer(1));
  RecordEditor screen = start.one.open_editor(start.record);
  must(screen.clear("interviews"));
  start.one.edit(start.record, "interviews", integer(10));
  must(screen.save());
  CHECK(start.one.shown(start.record, "interviews") == Values{integer(10)});
}

TEST_CASE("A count that is saved when its record was gone meanwhile goes on from the screen") {
  Two start("interviews", integer(1));
  RecordEditor editor = start.one.open_editor(start.record);
  must(editor.set("interviews", integer(5)));
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::none);
  start.one.sync();
  start.one.sync();
  REQUIRE(verdict(start.one->read(start.record)) == "not_found");
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::monitor);
  must(editor.save());
  start.meet();
  CHECK(start.two.shown(start.record, "interviews") == Values{integer(6)});
}

TEST_CASE("A count over one that was refused, and not told yet, holds the one before it once") {
  Two start("interviews", integer(1));
  start.one.edit(start.record, "interviews", integer(10));
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::none);
  start.one.faults = {lost_reply()};
  CHECK(verdict(start.one->sync({.retries = 0})) == "connection_lost");
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::monitor);
  start.one.edit(start.record, "interviews", integer(100));
  SECTION("counted on") {
    start.meet();
    CHECK(must(start.one->status()).refused == 1);
    // The refused ten are part of the sum that was on the screen.
    CHECK(start.two.shown(start.record, "interviews") == Values{integer(111)});
  }
  SECTION("cleared") {
    RecordEditor editor = start.one.open_editor(start.record);
    must(editor.clear("interviews"));
    must(editor.save());
    start.meet();
    CHECK(start.two.shown(start.record, "interviews") == Values{integer(0)});
  }
}

TEST_CASE("A count over one that was refused while the form was open holds the one before it once") {
  Two start("interviews", integer(1));
  start.one.edit(start.record, "interviews", integer(10));
  RecordEditor editor = start.one.open_editor(start.record);
  must(editor.set("interviews", integer(100)));
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::none);
  start.one.sync();
  start.one.sync();
  REQUIRE(verdict(start.one->read(start.record)) == "not_found");
  must(editor.save());
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::monitor);
  start.meet();
  CHECK(start.two.shown(start.record, "interviews") == Values{integer(111)});
}

TEST_CASE("Whoever settles a count settles all of it, but for what was not on the screen") {
  Two start("interviews", integer(3));
  start.two.edit(start.record, "interviews", integer(4));
  start.meet();
  REQUIRE(start.one.shown(start.record, "interviews") == Values{integer(7)});
  RecordEditor editor = start.one.open_editor(start.record);
  must(editor.resolve("interviews", integer(10)));
  SECTION("and counts on before saving") {
    must(editor.set("interviews", integer(5)));
    must(editor.save());
    start.meet();
    CHECK(start.two.shown(start.record, "interviews") == Values{integer(15)});
  }
  SECTION("and clears it before saving") {
    must(editor.clear("interviews"));
    must(editor.set("interviews", integer(2)));
    must(editor.save());
    start.meet();
    CHECK(start.two.shown(start.record, "interviews") == Values{integer(2)});
  }
  SECTION("and looks at it again when somebody else has counted") {
    start.two.edit(start.record, "interviews", integer(2));
    start.meet();
    must(editor.open_field("interviews"));
    must(editor.save());
    // The other device's sum goes on from 4, and was not settled.
    CHECK(start.one.shown(start.record, "interviews") == Values{integer(16)});
  }
  SECTION("nothing else was counted") {
    must(editor.save());
    CHECK(start.one.shown(start.record, "interviews") == Values{integer(10)});
    start.meet();
    CHECK(start.two.shown(start.record, "interviews") == Values{integer(10)});
  }
  SECTION("another screen of the same device has counted, and somebody else") {
    start.one.edit(start.record, "interviews", integer(5));
    must(editor.save());
    CHECK(start.one.shown(start.record, "interviews") == Values{integer(15)});
    start.two.edit(start.record, "interviews", integer(2));
    start.meet();
    // The other device's sum goes on from 4.
    CHECK(start.two.shown(start.record, "interviews") == Values{integer(21)});
  }
}

TEST_CASE("A set gains and loses elements; an add wins over a removal that had not seen it") {
  Two start("languages", text("ky"));
  RecordEditor editor = start.one.open_editor(start.record);
  must(editor.set("languages", text("ru")));
  must(editor.set("languages", text("tg")));
  must(editor.save());
  CHECK(start.one.shown(start.record, "languages") == Values{text("ky"), text("ru"), text("tg")});
  start.meet();
  RecordEditor removing = start.one.open_editor(start.record);
  must(removing.remove("languages", text("ru")));
  must(removing.remove("languages", text("tg")));
  must(removing.save());
  CHECK(start.one.shown(start.record, "languages") == Values{text("ky")});
  start.two.edit(start.record, "languages", text("ru"));
  start.meet();
  CHECK(start.one.shown(start.record, "languages") == Values{text("ky"), text("ru")});
  CHECK(start.two.shown(start.record, "languages") == Values{text("ky"), text("ru")});
}

TEST_CASE("Clearing empties a field of any policy, as far as this person saw it") {
  const auto [field, value] = GENERATE(table<std::string, core::Value>({{"summary", text("x")},
                                                                        {"languages", text("ky")},
                                                                        {"verdict", text("Bad.")},
                                                                        {"follow_up", text("x")},
                                                                        {"severity", integer(3)}}));
  INFO(field);
  Two start(field, value);
  RecordEditor editor = start.one.open_editor(start.record);
  must(editor.clear(field));
  must(editor.save());
  CHECK(start.one.shown(start.record, field).empty());
  start.meet();
  CHECK(start.two.shown(start.record, field).empty());
  start.two.edit(start.record, field, value);
  start.meet();
  CHECK(start.one.shown(start.record, field) == Values{value});
}

TEST_CASE("A set that is cleared takes what is added after it, and forgets what was added before") {
  Two start("languages", text("ky"));
  RecordEditor editor = start.one.open_editor(start.record);
  must(editor.set("languages", text("ru")));
  must(editor.clear("languages"));
  must(editor.set("languages", text("tg")));
  must(editor.save());
  CHECK(start.one.shown(start.record, "languages") == Values{text("tg")});
  start.meet();
  CHECK(start.two.shown(start.record, "languages") == Values{text("tg")});
}

TEST_CASE("List entries of two people both stay, and severity is the greater one") {
  Two start("follow_up", text("First visit."));
  start.one.edit(start.record, "follow_up", text("Second visit."));
  start.two.edit(start.record, "follow_up", text("Third visit."));
  start.one.edit(start.record, "severity", integer(3));
  start.two.edit(start.record, "severity", integer(2));
  start.meet();
  CHECK(start.one.shown(start.record, "follow_up").size() == 3);
  CHECK(start.one.shown(start.record, "follow_up") == start.two.shown(start.record, "follow_up"));
  CHECK(start.one.shown(start.record, "severity") == Values{integer(3)});
  CHECK(must(start.one->conflicts()).empty());
}

TEST_CASE("Items stand in the order in which they were added, each with its own fields") {
  Two start;
  RecordEditor editor = start.one.open_editor(start.record);
  std::vector<core::ItemId> items;
  for (int i = 0; i < 30; ++i) {
    items.push_back(must(editor.add_item("cells")));
    must(editor.set("cell_state", text("State " + std::to_string(i)), items.back()));
  }
  must(editor.save());
  start.meet();
  const RecordView view = must(start.two->read(start.record));
  std::vector<core::ItemId> shown;
  for (const ShownField& field : view.fields) {
    if (field.name == "cell_state") shown.push_back(field.item);
  }
  CHECK((shown == items));
  CHECK(start.two.shown(start.record, "cell_state", items[7]) == Values{text("State 7")});
}

TEST_CASE("A deleted item disappears everywhere, but not from under an edit that nobody had seen") {
  Two start;
  RecordEditor editor = start.one.open_editor(start.record);
  const core::ItemId quiet = must(editor.add_item("cells"));
  const core::ItemId edited = must(editor.add_item("cells"));
  must(editor.save());
  start.meet();
  RecordEditor deleting = start.one.open_editor(start.record);
  must(deleting.delete_item(quiet));
  must(deleting.delete_item(edited));
  must(deleting.save());
  RecordEditor editing = start.two.open_editor(start.record);
  must(editing.set("cell_state", text("wet"), edited));
  must(editing.save());
  start.meet();
  CHECK(start.one.shown(start.record, "cells", quiet).empty());
  CHECK(start.two.shown(start.record, "cells", quiet).empty());
  CHECK(start.one.shown(start.record, "cell_state", edited) == Values{text("wet")});
}

TEST_CASE("An item that is added or edited and deleted before the save is gone") {
  Two start;
  RecordEditor editor = start.one.open_editor(start.record);
  const core::ItemId known = must(editor.add_item("cells"));
  must(editor.save());
  must(editor.set("cell_state", text("wet"), known));
  must(editor.delete_item(known));
  const core::ItemId never = must(editor.add_item("cells"));
  must(editor.set("cell_state", text("dry"), never));
  must(editor.delete_item(never));
  CHECK(verdict(editor.delete_item(item(9))) == "not_found");
  must(editor.save());
  start.meet();
  for (const core::ItemId& gone : {known, never}) {
    CHECK(start.one.shown(start.record, "cells", gone).empty());
    CHECK(start.two.shown(start.record, "cells", gone).empty());
    CHECK(start.two.shown(start.record, "cell_state", gone).empty());
  }
}
