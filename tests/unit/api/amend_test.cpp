// What the office refused: sent again as its author puts it right, or let be. No word of it is
// lost, sent twice or shown as more than it is.
#include "app_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

// The monitor, whose saves the office refuses until may_write().
struct Refused {
  AppOffice office;
  App app{office};

  void may_only_read() { office.set_role(office.monitor, office.scope, server::Role::board); }
  void may_write() { office.set_role(office.monitor, office.scope, server::Role::monitor); }

  // Saved, synced and refused.
  core::OperationId refuse(RecordEditor& editor) {
    must(editor.save());
    may_only_read();
    app.sync();
    const auto refused = must(app->refused());
    REQUIRE(refused.size() == 1);
    return refused.front().operation;
  }
  struct Edit {
    core::RecordId record;
    core::OperationId refused;
  };
  // Of a record that is at the office, with the summary "Cell 4.".
  Edit refuse_edit(const std::string& field, core::Value value) {
    const core::RecordId record = app.write("summary", text("Cell 4."));
    app.sync();
    RecordEditor editor = app.open_editor(record);
    must(editor.set(field, std::move(value)));
    return {record, refuse(editor)};
  }
  std::vector<std::uint64_t> counts() {
    const Status status = must(app->status());
    return {status.saved_here, status.sent, status.durable, status.refused};
  }
  // What somebody else's device has after a sync.
  Values at_another(const core::RecordId& record, const std::string& field, const core::ItemId& item = {}) {
    App other(office);
    return other.shown(record, field, item);
  }
};

}  // namespace

TEST_CASE("A refused save is amended and sent again, and nothing of it stays refused") {
  Refused start;
  const core::RecordId record = start.app.write("summary", text("Cell 4."));
  start.app.sync();
  RecordEditor editor = start.app.open_editor(record);
  must(editor.set("summary", text("Cell 5.")));
  must(editor.set("beds", integer(12)));
  const core::OperationId refused = start.refuse(editor);
  CHECK(start.counts() == std::vector<std::uint64_t>{0, 0, 1, 1});
  start.may_write();
  RecordEditor amended = must(start.app->amend(refused, {}));
  CHECK(amended.id() == record);
  // Not before it is saved.
  CHECK(must(start.app->refused()).size() == 1);
  CHECK(start.app.shown(record, "summary") == Values{text("Cell 4.")});
  must(amended.set("beds", integer(13)));
  must(amended.save());
  CHECK(must(start.app->refused()).empty());
  CHECK(start.counts() == std::vector<std::uint64_t>{1, 0, 1, 0});
  CHECK(must(start.app->read(record)).progress == Progress::saved_here);
  start.app.sync();
  CHECK(must(start.app->refused()).empty());
  CHECK(start.counts() == std::vector<std::uint64_t>{0, 0, 2, 0});
  CHECK(must(start.app->read(record)).progress == Progress::durable);
  CHECK(start.at_another(record, "summary") == Values{text("Cell 5.")});
  CHECK(start.at_another(record, "beds") == Values{integer(13)});
  // It cannot be amended a second time.
  CHECK(verdict(start.app->amend(refused, {})) == "not_found");
}

TEST_CASE("An amended save replaces what is on the screen now, not what was there when it was refused") {
  Refused start;
  const auto [record, refused] = start.refuse_edit("summary", text("Cell 5."));
  start.may_write();
  App colleague(start.office);
  colleague.edit(record, "summary", text("Cell 6."));
  colleague.sync();
  start.app.sync();
  RecordEditor amended = must(start.app->amend(refused, {}));
  // Not read by the one who amends: it stands beside.
  colleague.edit(record, "summary", text("Cell 7."));
  colleague.sync();
  must(amended.save());
  start.app.sync();
  CHECK(start.app.in_conflict(record, "summary"));
  const Values both = start.app.shown(record, "summary");
  CHECK(both.size() == 2);
  CHECK(std::find(both.begin(), both.end(), text("Cell 5.")) != both.end());
  CHECK(std::find(both.begin(), both.end(), text("Cell 7.")) != both.end());
}

TEST_CASE("Elements, entries, items and a deletion that were refused are sent again; a count is entered anew") {
  Refused start;
  RecordEditor first = must(start.app->create("inspection", start.office.scope));
  must(first.set("languages", text("Kyrgyz")));
  const core::ItemId gone = must(first.add_item("cells"));
  must(first.set("cell_state", text("Damp."), gone));
  must(first.save());
  start.app.sync();
  const core::RecordId record = first.id();
  RecordEditor editor = start.app.open_editor(record);
  must(editor.set("languages", text("Uzbek")));
  must(editor.remove("languages", text("Kyrgyz")));
  must(editor.set("follow_up", text("Call the lawyer.")));
  must(editor.set("interviews", integer(3)));
  const core::ItemId item = must(editor.add_item("cells"));
  must(editor.set("cell_state", text("Dark."), item));
  must(editor.delete_item(gone));
  const core::OperationId refused = start.refuse(editor);
  start.may_write();
  RecordEditor amended = must(start.app->amend(refused, {}));
  must(amended.set("languages", text("Russian")));
  must(amended.save());
  start.app.sync();
  Values languages = start.at_another(record, "languages");
  CHECK(languages.size() == 2);
  CHECK(std::find(languages.begin(), languages.end(), text("Uzbek")) != languages.end());
  CHECK(std::find(languages.begin(), languages.end(), text("Russian")) != languages.end());
  CHECK(start.at_another(record, "follow_up") == Values{text("Call the lawyer.")});
  CHECK(start.at_another(record, "cell_state", item) == Values{text("Dark.")});
  CHECK(start.at_another(record, "cell_state", gone).empty());
  CHECK(start.at_another(record, "interviews").empty());
}

TEST_CASE("A refused deletion of a record is sent again") {
  Refused start;
  const core::RecordId record = start.app.write("summary", text("Cell 4."));
  start.app.sync();
  must(start.app->delete_record(record));
  start.may_only_read();
  start.app.sync();
  CHECK_FALSE(must(start.app->read(record)).deleted);
  const core::OperationId refused = must(start.app->refused()).front().operation;
  start.may_write();
  must(must(start.app->amend(refused, {})).save());
  start.app.sync();
  App other(start.office);
  CHECK(must(other->read(record)).deleted);
}

TEST_CASE("A refused save goes into another scope as a record of its own") {
  Refused start;
  start.office.set_role(start.office.monitor, start.office.other_scope, server::Role::monitor);
  const auto [record, refused] = start.refuse_edit("summary", text("Cell 5."));
  RecordEditor amended = must(start.app->amend(refused, start.office.other_scope));
  CHECK(amended.id() != record);
  CHECK(amended.view().scope == start.office.other_scope);
  must(amended.save());
  start.app.sync();
  CHECK(must(start.app->refused()).empty());
  CHECK(start.at_another(amended.id(), "summary") == Values{text("Cell 5.")});
  CHECK(start.at_another(record, "summary") == Values{text("Cell 4.")});
}

TEST_CASE("A refused save of a new record, in a scope that was left, goes into another") {
  Refused start;
  start.office.set_role(start.office.monitor, start.office.other_scope, server::Role::monitor);
  start.app.sync();
  const core::RecordId record = start.app.write("summary", text("Cell 4."));
  start.office.set_role(start.office.monitor, start.office.scope, server::Role::none);
  start.app.sync();
  const auto refused = must(start.app->refused());
  REQUIRE(refused.size() == 1);
  CHECK(verdict(start.app->amend(refused.front().operation, {})) == "scope_not_found");
  RecordEditor amended = must(start.app->amend(refused.front().operation, start.office.other_scope));
  must(amended.save());
  start.app.sync();
  CHECK(start.counts() == std::vector<std::uint64_t>{0, 0, 1, 0});
  CHECK(amended.id() != record);
  CHECK(start.at_another(amended.id(), "summary") == Values{text("Cell 4.")});
}

TEST_CASE("What is refused again is told again") {
  Refused start;
  const auto [record, refused] = start.refuse_edit("summary", text("Cell 5."));
  RecordEditor amended = must(start.app->amend(refused, {}));
  const core::OperationId again = must(amended.save()).operation;
  start.app.sync();
  const auto now = must(start.app->refused());
  REQUIRE(now.size() == 1);
  CHECK(now.front().operation == again);
  CHECK(start.counts() == std::vector<std::uint64_t>{0, 0, 1, 1});
  CHECK(must(start.app->read(record)).progress == Progress::refused);
}

TEST_CASE("A refusal that is let be is not told again, by no sync and no start") {
  Refused start;
  const auto [record, refused] = start.refuse_edit("summary", text("Cell 5."));
  must(start.app->settle_refusal(refused));
  const auto is_settled = [&] {
    CHECK(must(start.app->refused()).empty());
    CHECK(start.counts() == std::vector<std::uint64_t>{0, 0, 1, 0});
    CHECK(start.app.shown(record, "summary") == Values{text("Cell 4.")});
    CHECK(verdict(start.app->settle_refusal(refused)) == "not_found");
    CHECK(verdict(start.app->amend(refused, {})) == "not_found");
  };
  is_settled();
  start.app.restart();
  is_settled();
  start.may_write();
  start.app.edit(record, "beds", integer(12));
  start.app.sync();
  start.app.sync();
  CHECK(must(start.app->refused()).empty());
  CHECK(start.counts() == std::vector<std::uint64_t>{0, 0, 2, 0});
}

TEST_CASE("What was never refused is neither amended nor let be") {
  Refused start;
  start.app.write("summary", text("Cell 4."));
  const core::OperationId unsent{start.app->identity().device, 1};
  CHECK(verdict(start.app->amend(unsent, {})) == "not_found");
  CHECK(verdict(start.app->settle_refusal(unsent)) == "not_found");
  CHECK(start.counts() == std::vector<std::uint64_t>{1, 0, 0, 0});
}

TEST_CASE("A refused save that two screens amend is sent again once") {
  Refused start;
  const auto [record, refused] = start.refuse_edit("follow_up", text("Call the lawyer."));
  start.may_write();
  RecordEditor one = must(start.app->amend(refused, {}));
  RecordEditor two = must(start.app->amend(refused, {}));
  must(one.save());
  const auto second = two.save();
  CHECK(verdict(second) == "not_found");
  // What was typed is still in the form.
  CHECK(verdict(two.save()) == "not_found");
  start.app.sync();
  CHECK(start.at_another(record, "follow_up") == Values{text("Call the lawyer.")});
}
