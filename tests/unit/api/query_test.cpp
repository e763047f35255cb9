// Finding records again.
#include "app_office.h"
#include "support/unlocked_store.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

std::vector<core::RecordId> ids(App& app, const Query& query) {
  std::vector<core::RecordId> found;
  for (const RecordView& view : must(app->query(query))) found.push_back(view.id);
  return found;
}

using Ids = std::vector<core::RecordId>;

}  // namespace

TEST_CASE("Records are listed with the newest change first, as many as were asked for") {
  AppOffice office;
  App app(office);
  Ids written;
  for (int i = 0; i < 4; ++i) {
    office.now = office.now + core::Milliseconds{1'000};
    written.push_back(app.write("summary", text("Cell " + std::to_string(i))));
  }
  office.now = office.now + core::Milliseconds{1'000};
  app.edit(written[1], "beds", integer(4));
  const Ids expected{written[1], written[3], written[2], written[0]};
  CHECK((ids(app, {}) == expected));
  app.sync();
  CHECK((ids(app, {}) == expected));
  CHECK((ids(app, {.limit = 2}) == Ids{written[1], written[3]}));
  CHECK(ids(app, {.limit = 0}).empty());
}

TEST_CASE("Text is found without regard to case and to how its letters are composed") {
  AppOffice office;
  App app(office);
  const core::RecordId cyrillic = app.write("summary", text("Камера 4: ТЕРЕЗЕ жок"));
  const core::RecordId accent = app.write("follow_up", text("Cafe\u0301 de la prison"));
  CHECK((ids(app, {.text = "терезе"}) == Ids{cyrillic}));
  CHECK((ids(app, {.text = "КАМЕРА"}) == Ids{cyrillic}));
  CHECK((ids(app, {.text = "caf\u00e9"}) == Ids{accent}));
  CHECK((ids(app, {.text = "CAFE\u0301"}) == Ids{accent}));
  CHECK(ids(app, {.text = "жылуу"}).empty());
}

TEST_CASE("What is found follows every edit, those that arrive and those that are lost to another, and a lock") {
  AppOffice office;
  App app(office);
  App other(office);
  const core::RecordId record = app.write("summary", text("Окно разбито"));
  CHECK((ids(app, {.text = "окно"}) == Ids{record}));
  app.edit(record, "summary", text("Дверь сломана"));
  CHECK(ids(app, {.text = "окно"}).empty());
  CHECK((ids(app, {.text = "дверь"}) == Ids{record}));
  app.sync();
  other.sync();
  CHECK((ids(other, {.text = "дверь"}) == Ids{record}));
  other.edit(record, "summary", text("Дверь починена"));
  other.sync();
  app.sync();
  CHECK(ids(app, {.text = "сломана"}).empty());
  CHECK((ids(app, {.text = "починена"}) == Ids{record}));
  app->lock();
  CHECK(verdict(app->query({.text = "починена"})) == "locked");
  must(app->unlock(app_credentials()));
  CHECK((ids(app, {.text = "починена"}) == Ids{record}));
}

TEST_CASE("What is looked for is not found across two texts") {
  AppOffice office;
  App app(office);
  RecordEditor editor = must(app->create("inspection", office.scope));
  must(editor.set("summary", text("one")));
  must(editor.set("follow_up", text("two")));
  must(editor.save());
  CHECK(ids(app, {.text = "one"}).size() == 1);
  CHECK(ids(app, {.text = "onetwo"}).empty());
  CHECK(ids(app, {.text = "one\xfftwo"}).empty());
  CHECK(ids(app, {.text = "\xff"}).empty());
}

TEST_CASE("A form, a scope, a reference and deletion each restrict what is listed") {
  AppOffice office;
  App app(office);
  const core::RecordId inspection = app.write("summary", text("Cell 4."));
  const core::RecordId other = app.write("summary", text("Cell 5."));
  RecordEditor editor = must(app->create("finding", office.scope));
  must(editor.set("inspection", core::Value{inspection}));
  must(editor.set("title", core::Value{core::LocalText{"en", "No window"}}));
  must(editor.save());
  const core::RecordId finding = editor.id();
  CHECK((ids(app, {.form = "finding"}) == Ids{finding}));
  CHECK((ids(app, {.text = "no window"}) == Ids{finding}));
  CHECK(ids(app, {.form = "visit"}).empty());
  CHECK(ids(app, {.scope = office.scope}).size() == 3);
  CHECK(ids(app, {.scope = office.other_scope}).empty());
  CHECK((ids(app, {.reference_field = "inspection", .reference = inspection}) == Ids{finding}));
  CHECK(ids(app, {.reference_field = "inspection", .reference = other}).empty());
  must(app->delete_record(other));
  CHECK((ids(app, {.form = "inspection"}) == Ids{inspection}));
  CHECK(ids(app, {.form = "inspection", .include_deleted = true}).size() == 2);
}

TEST_CASE("A record is found by the beginning of its id where that is enough") {
  AppOffice office;
  App app(office);
  Ids written;
  for (int i = 0; i < 40; ++i) written.push_back(app.write("summary", text("x")));
  const std::string id = written[0].hex();
  CHECK(must(app->find_by_prefix(id)) == written[0]);
  CHECK(must(app->find_by_prefix(id.substr(0, 20))) == written[0]);
  CHECK(verdict(app->find_by_prefix("")) == "invalid_argument");
  CHECK(verdict(app->find_by_prefix("a")) == "invalid_argument");
  CHECK(verdict(app->find_by_prefix("xyz")) == "invalid_argument");
  CHECK(verdict(app->find_by_prefix(id + "0")) == "invalid_argument");
  std::string nobody = id;
  nobody.back() = nobody.back() == '0' ? '1' : '0';
  CHECK(verdict(app->find_by_prefix(nobody)) == "not_found");
  // Of 257 records two begin with the same two digits.
  while (written.size() < 257) written.push_back(app.write("summary", text("x")));
  std::map<std::string, int> beginnings;
  for (const core::RecordId& record : written) ++beginnings[record.hex().substr(0, 2)];
  const auto twice =
      std::find_if(beginnings.begin(), beginnings.end(), [](const auto& entry) { return entry.second > 1; });
  REQUIRE(twice != beginnings.end());
  CHECK(verdict(app->find_by_prefix(twice->first)) == "ambiguous");
}
