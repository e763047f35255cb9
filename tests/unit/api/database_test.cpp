// Opening, deleting and restoring, conflicts, status.
#include <fstream>
#include <sstream>

#include "app_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

}  // namespace

TEST_CASE("A store is opened by one program at a time") {
  AppOffice office;
  App app(office, App::Fresh{});
  CHECK(verdict(Database::open({.directory = app.folder()})) == "in_use");
}

TEST_CASE("A store that is not there is made only where that was asked for") {
  const TemporaryFolder folder;
  const std::string directory = (folder.path() / "reports").string();
  CHECK(verdict(Database::open({.directory = directory, .create = false})) == "not_found");
  CHECK_FALSE(std::filesystem::exists(directory));
  CHECK(verdict(Database::open({.directory = directory})) == "done");
  CHECK(verdict(Database::open({.directory = directory, .create = false})) == "done");
}

TEST_CASE("A damaged store stays exactly as it is, and no new one is made in its place") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "fieldsync.db").string();
  const std::string content = "not a database, but perhaps somebody's only copy" + std::string(4'096, '\x5a');
  std::ofstream(file, std::ios::binary) << content;
  CHECK(verdict(Database::open({.directory = folder.path().string()})) == "storage_corrupt");
  CHECK((content_of(file) == content));
}

TEST_CASE("A folder that cannot be made is an error with a sentence") {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "file").string();
  std::ofstream(file) << "x";
  CHECK(verdict(Database::open({.directory = file + "/below"})) == "storage_failed");
}

TEST_CASE("A deleted record is hidden everywhere, can be read, and comes back") {
  AppOffice office;
  App one(office), two(office);
  const core::RecordId record = one.write("summary", text("Cell 4."));
  one.sync();
  must(one->delete_record(record));
  CHECK(must(one->read(record)).deleted);
  CHECK(must(one->status()).records == 0);
  CHECK(must(one->query({})).empty());
  one.sync();
  two.sync();
  CHECK(must(two->read(record)).deleted);
  CHECK(must(two->status()).records == 0);
  must(two->restore_record(record));
  CHECK_FALSE(must(two->read(record)).deleted);
  CHECK(two.shown(record, "summary") == Values{text("Cell 4.")});
  two.sync();
  one.sync();
  CHECK_FALSE(must(one->read(record)).deleted);
  CHECK(verdict(one->delete_record(testing::record(9))) == "not_found");
  CHECK(verdict(one->restore_record(testing::record(9))) == "not_found");
}

TEST_CASE("A deletion beside an edit that it had not seen hides nothing and waits for a decision") {
  AppOffice office;
  App one(office);
  const core::PersonId deleter = office.add_person(server::Role::monitor, office.scope);
  App two(office, deleter);
  const core::RecordId record = one.write("summary", text("Cell 4."));
  one.sync();
  two.sync();
  must(two->delete_record(record));
  one.edit(record, "summary", text("Cell 4 has no window."));
  one.sync();
  two.sync();
  one.sync();
  for (App* app : {&one, &two}) {
    const RecordView view = must((*app)->read(record));
    CHECK_FALSE(view.deleted);
    CHECK(view.deleted_while_edited == std::vector<core::PersonId>{deleter});
    const auto conflicts = must((*app)->conflicts());
    REQUIRE(conflicts.size() == 1);
    CHECK(conflicts[0].field == 0);
    CHECK(conflicts[0].field_name == "existence");
    CHECK(must((*app)->status()).open_conflicts == 1);
  }
  must(one->restore_record(record));
  one.sync();
  two.sync();
  CHECK(must(two->conflicts()).empty());
  CHECK(two.shown(record, "summary") == Values{text("Cell 4 has no window.")});
}

TEST_CASE("A conflict names its record, field, values and authors") {
  AppOffice office;
  App one(office);
  const core::PersonId other = office.add_person(server::Role::monitor, office.scope);
  App two(office, other);
  const core::RecordId record = one.write("summary", text("Cell 4."));
  one.sync();
  two.sync();
  one.edit(record, "summary", text("Window."));
  two.edit(record, "summary", text("Heating."));
  one.sync();
  two.sync();
  const auto conflicts = must(two->conflicts());
  REQUIRE(conflicts.size() == 1);
  CHECK(conflicts[0].record == record);
  CHECK(conflicts[0].form == "inspection");
  CHECK(conflicts[0].field_name == "summary");
  REQUIRE(conflicts[0].values.size() == 2);
  for (const ShownValue& value : conflicts[0].values)
    CHECK(value.author == (value.value == text("Window.") ? office.monitor : other));
  CHECK(must(two->status()).open_conflicts == 1);
  CHECK(two->person_name(office.monitor) == "A person");
}

TEST_CASE("Equal edits of two people are no conflict") {
  AppOffice office;
  App one(office), two(office);
  const core::RecordId record = one.write("summary", text("Cell 4."));
  one.sync();
  two.sync();
  one.edit(record, "summary", text("Cell 5."));
  two.edit(record, "summary", text("Cell 5."));
  one.sync();
  two.sync();
  CHECK(must(two->conflicts()).empty());
  CHECK(two.shown(record, "summary") == Values{text("Cell 5.")});
}

TEST_CASE("Status and progress are never ahead of the truth") {
  AppOffice office;
  App app(office);
  const auto counts = [&] {
    const Status status = must(app->status());
    return std::vector<std::uint64_t>{status.saved_here, status.sent, status.durable, status.refused};
  };
  CHECK(counts() == std::vector<std::uint64_t>{0, 0, 0, 0});
  const core::RecordId record = app.write("summary", text("Cell 4."));
  CHECK(counts() == std::vector<std::uint64_t>{1, 0, 0, 0});
  CHECK(must(app->read(record)).progress == Progress::saved_here);
  CHECK(must(app->read(record)).find("summary")->values[0].unsent);
  // The server has it, but nobody here can know.
  app.faults = {lost_reply()};
  CHECK(verdict(app->sync({.retries = 0})) == "connection_lost");
  CHECK(counts() == std::vector<std::uint64_t>{1, 0, 0, 0});
  CHECK(must(app->read(record)).progress == Progress::saved_here);
  app.sync();
  CHECK(counts() == std::vector<std::uint64_t>{0, 0, 1, 0});
  CHECK(must(app->read(record)).progress == Progress::durable);
  CHECK_FALSE(must(app->read(record)).find("summary")->values[0].unsent);
  app.edit(record, "summary", text("Cell 5."));
  CHECK(counts() == std::vector<std::uint64_t>{1, 0, 1, 0});
  CHECK(must(app->read(record)).progress == Progress::saved_here);
}

TEST_CASE("An operation that the office refuses is counted, explained, and no longer shown") {
  AppOffice office;
  App app(office);
  const core::RecordId record = app.write("summary", text("Cell 4."));
  app.sync();
  office.set_role(office.monitor, office.scope, server::Role::board);
  app.edit(record, "summary", text("Cell 5."));
  app.sync();
  const Status status = must(app->status());
  CHECK(status.saved_here == 0);
  CHECK(status.durable == 1);
  CHECK(status.refused == 1);
  const auto refused = must(app->refused());
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].operation == core::OperationId{app->identity().device, 2});
  CHECK(refused[0].record == record);
  CHECK(refused[0].code == "not_permitted");
  check_sentence(refused[0].message);
  CHECK(app.shown(record, "summary") == Values{text("Cell 4.")});
  CHECK(must(app->read(record)).progress == Progress::refused);
}
