// What a store gives away while it is locked, to whom it opens, and what it notices of
// those who had it in their hands.
#include <sodium.h>

#include <fstream>
#include <random>
#include <sstream>

#include "app_office.h"
#include "support/long_profile.h"
#include "support/unlocked_store.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

constexpr const char* marker = "Zarylbek Osmonov";

std::string content_of(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}
void write_to(const std::string& path, const std::string& content) { std::ofstream(path, std::ios::binary) << content; }

std::string database_in(const std::string& folder) { return folder + "/fieldsync.db"; }

void change(const std::string& folder, const std::string& sql) {
  sqlite::Connection(database_in(folder), sqlite::OpenMode::read_write).execute(sql.c_str());
}

std::string_view open_verdict(const std::string& folder) {
  return verdict(Database::open({.directory = folder, .create = false, .credentials = app_credentials()}));
}

// An app with some of everything, then closed: its folder.
struct Seized {
  AppOffice office;
  App app{office};
  core::RecordId record;
  Seized() {
    record = app.write("summary", text(std::string(marker) + " has no bed."));
    app.sync();
    app.edit(record, "summary", text(std::string(marker) + " has a bed."));
    app.write("follow_up", text("Ask " + std::string(marker)));
    static_cast<void>(app.copy_store());
  }
  [[nodiscard]] std::string folder_copy(const TemporaryFolder& into) {
    const std::string path = (into.path() / "store").string();
    std::filesystem::create_directories(path);
    write_to(database_in(path), app.copy_store());
    return path;
  }
};

std::string wide(const std::string& text) {
  std::string bytes;
  for (const char letter : text) (bytes += letter) += '\0';
  return bytes;
}

}  // namespace

TEST_CASE("A locked store answers nothing, and an unlocked one what it held") {
  Seized seized;
  const TemporaryFolder copy;
  const std::string folder = seized.folder_copy(copy);
  const auto database = must(Database::open({.directory = folder, .create = false}));
  CHECK(database->lock_state() == LockState::locked);
  CHECK(verdict(database->status()) == "locked");
  CHECK(verdict(database->query({})) == "locked");
  CHECK(verdict(database->read(seized.record)) == "locked");
  CHECK(verdict(database->edit(seized.record)) == "locked");
  CHECK(verdict(database->create("inspection", seized.office.scope)) == "locked");
  CHECK(verdict(database->forms()) == "locked");
  CHECK(verdict(database->scopes()) == "locked");
  CHECK(verdict(database->conflicts()) == "locked");
  CHECK(verdict(database->refused()) == "locked");
  CHECK(verdict(database->delete_record(seized.record)) == "locked");
  CHECK(verdict(database->set_server("other.example:9443")) == "locked");
  CHECK(verdict(database->sync({})) == "locked");
  CHECK(verdict(database->enrol(seized.office.enrolment_for(seized.office.monitor), "again")) == "locked");
  CHECK(database->identity().person_name.empty());
  CHECK(database->identity().server.empty());
  CHECK(verdict(database->unlock({.passphrase = "a guess"})) == "wrong_passphrase");
  CHECK(verdict(database->unlock({})) == "wrong_passphrase");
  CHECK(database->lock_state() == LockState::locked);
  must(database->unlock(app_credentials()));
  CHECK(database->lock_state() == LockState::unlocked);
  CHECK(must(database->status()).records == 2);
  CHECK(database->identity().enrolled);
}

TEST_CASE("What was typed before the store was locked can be saved once it is unlocked") {
  AppOffice office;
  App app(office);
  const core::RecordId record = app.write("summary", text("Cell 4."));
  RecordEditor editor = app.open_editor(record);
  must(editor.set("summary", text("Cell 4 has no window.")));
  app->lock();
  CHECK(verdict(editor.save()) == "locked");
  must(app->unlock(app_credentials()));
  must(editor.save());
  CHECK(app.shown(record, "summary") == Values{text("Cell 4 has no window.")});
  app.sync();
}

TEST_CASE("A passphrase opens the store for which it was chosen, however its letters were composed") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "store").string();
  {
    const auto database = must(Database::open({.directory = path}));
    CHECK(database->lock_state() == LockState::fresh);
    CHECK(verdict(database->status()) == "locked");
    CHECK(verdict(database->unlock({})) == "invalid_argument");
    CHECK(verdict(database->unlock({.passphrase = "\xff"})) == "invalid_argument");
    CHECK(database->lock_state() == LockState::fresh);
    must(database->unlock({.passphrase = "caf\u00e9 \u0439"}));
  }
  CHECK(verdict(Database::open({.directory = path, .credentials = {.passphrase = "cafe \u0439"}})) ==
        "wrong_passphrase");
  const auto again =
      must(Database::open({.directory = path, .credentials = {.passphrase = "cafe\u0301 \u0438\u0306"}}));
  CHECK(again->lock_state() == LockState::unlocked);
}

TEST_CASE("Nothing that a person wrote stands in the store's files") {
  Seized seized;
  const std::string content = seized.app.copy_store();
  REQUIRE(content.size() > 10'000);
  for (const std::string secret : {marker, "Zarylbek", "has a bed", "inspection", "summary", "Osh region",
                                   "office.example", "Bakyt", "A phone", "PRIVATE KEY", "CERTIFICATE"}) {
    INFO(secret);
    CHECK(content.find(secret) == std::string::npos);
    CHECK(content.find(wide(secret)) == std::string::npos);
    CHECK(content.find(core::to_hex(secret)) == std::string::npos);
    std::string base64(sodium_base64_ENCODED_LEN(secret.size(), sodium_base64_VARIANT_ORIGINAL_NO_PADDING), '\0');
    sodium_bin2base64(base64.data(), base64.size(), reinterpret_cast<const unsigned char*>(secret.data()),
                      secret.size(), sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    base64.resize(secret.size() / 3 * 4);
    CHECK(content.find(base64) == std::string::npos);
  }
}

TEST_CASE("A row that was altered, swapped, taken away or put back is noticed, and the file stays as it is") {
  const auto [what, sql] = GENERATE(table<std::string, std::string>({
      {"a row taken away", "DELETE FROM operation WHERE counter = (SELECT max(counter) FROM operation)"},
      {"all refusals taken away, and an acknowledgement", "DELETE FROM batch"},
      {"a row added", "INSERT INTO person VALUES(zeroblob(16), zeroblob(200))"},
      {"two records swapped",
       "UPDATE record SET shown_head = (SELECT shown_head FROM record ORDER BY row LIMIT 1),"
       " shown_body = (SELECT shown_body FROM record ORDER BY row LIMIT 1)"},
      {"what was told put over what is shown", "UPDATE record SET shown_body = body WHERE body IS NOT NULL"},
      {"two settings swapped",
       "UPDATE setting SET value = (SELECT value FROM setting WHERE key = 'last_counter')"
       " WHERE key = 'acknowledged_counter'"},
      {"a record moved to another scope", "UPDATE record SET scope = zeroblob(16)"},
      {"a mark in the clear", "UPDATE record SET stale = 1 WHERE head IS NOT NULL"},
      {"an older manifest", "UPDATE store SET manifest = zeroblob(160)"},
      {"another store's id", "UPDATE store SET id = zeroblob(16)"},
      {"no manifest", "DELETE FROM store; INSERT INTO store VALUES(zeroblob(16), x'')"},
      {"a planted trigger", "CREATE TRIGGER t AFTER INSERT ON operation BEGIN DELETE FROM batch; END"},
      {"a planted view", "CREATE VIEW v AS SELECT * FROM record"},
      {"a planted table", "CREATE TABLE planted(x)"},
      {"a planted index", "CREATE INDEX planted ON record(scope)"},
      {"an absurd cost of a slot", "UPDATE key_slot SET bytes = zeroblob(134)"},
  }));
  INFO(what);
  Seized seized;
  const TemporaryFolder copy;
  const std::string folder = seized.folder_copy(copy);
  REQUIRE(open_verdict(folder) == "done");
  change(folder, sql);
  const std::string before = content_of(database_in(folder));
  CHECK(open_verdict(folder) == "storage_corrupt");
  CHECK((content_of(database_in(folder)) == before));
}

TEST_CASE("Yesterday's row does not fit into today's store; yesterday's whole store opens") {
  Seized seized;
  const TemporaryFolder copies;
  const std::string folder = seized.folder_copy(copies);
  const std::string yesterday = (copies.path() / "yesterday.db").string();
  std::filesystem::copy_file(database_in(folder), yesterday);
  {
    const auto database = must(Database::open({.directory = folder, .credentials = app_credentials()}));
    RecordEditor editor = must(database->edit(seized.record));
    must(editor.set("summary", text("Today.")));
    must(editor.save());
  }
  const std::string today = content_of(database_in(folder));
  for (const std::string table : {"record", "setting", "store"}) {
    INFO(table);
    write_to(database_in(folder), today);
    change(folder, "ATTACH '" + yesterday + "' AS yesterday; INSERT OR REPLACE INTO main." + table +
                       " SELECT * FROM yesterday." + table +
                       (table == "store" ? "; DELETE FROM main.store WHERE rowid = 1" : ""));
    CHECK(open_verdict(folder) == "storage_corrupt");
  }
  write_to(database_in(folder), content_of(yesterday));
  CHECK(open_verdict(folder) == "done");
}

TEST_CASE("A file of which bits were turned or the end is missing opens as it was, or says what is wrong") {
  Seized seized;
  const TemporaryFolder copy;
  const std::string folder = seized.folder_copy(copy);
  const std::string content = content_of(database_in(folder));
  std::mt19937_64 random(1);
  const std::size_t tries = long_profile() ? 20'000 : 200;
  for (std::size_t i = 0; i < tries; ++i) {
    std::string altered = content;
    const std::size_t at = random() % altered.size();
    altered[at] = static_cast<char>(altered[at] ^ (1 << (random() % 8)));
    if (i % 20 == 0) altered.resize(random() % altered.size());
    write_to(database_in(folder), altered);
    auto opened = Database::open({.directory = folder, .create = false, .credentials = app_credentials()});
    INFO("byte " << at);
    if (!opened) {
      CHECK(verdict(opened) != "internal_error");
      continue;
    }
    // A page that no row uses.
    CHECK(must((*opened)->status()).records == 2);
    CHECK(must((*opened)->read(seized.record)).find("summary") != nullptr);
  }
}

TEST_CASE("A damaged index is made anew of the rows") {
  Seized seized;
  const TemporaryFolder copy;
  const std::string folder = seized.folder_copy(copy);
  std::size_t page = 0;
  {
    sqlite::Connection connection(database_in(folder), sqlite::OpenMode::read_write);
    auto select = connection.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_record_1'");
    REQUIRE(select.step());
    page = static_cast<std::size_t>(select.integer(0));
  }
  std::string content = content_of(database_in(folder));
  // In an id, of which one cell after the other stands at the page's end.
  content[page * 4096 - 8] ^= 1;
  write_to(database_in(folder), content);
  for (int i = 0; i < 2; ++i) {
    const auto database =
        must(Database::open({.directory = folder, .create = false, .credentials = app_credentials()}));
    const auto views = must(database->query({}));
    CHECK(views.size() == 2);
    for (const RecordView& view : views) CHECK(must(database->read(view.id)).id == view.id);
  }
  sqlite::Connection connection(database_in(folder), sqlite::OpenMode::read_write);
  CHECK(connection.integrity_problem().empty());
}

TEST_CASE("A row of another store does not fit, though the same key opens both") {
  Seized seized;
  Seized other;
  const TemporaryFolder copy;
  const std::string folder = seized.folder_copy(copy);
  const TemporaryFolder other_copy;
  const std::string other_file = database_in(other.folder_copy(other_copy));
  const std::string table = GENERATE("record", "operation", "setting", "person", "key_slot", "store");
  INFO(table);
  change(folder, "ATTACH '" + other_file + "' AS other; DELETE FROM main." + table + "; INSERT INTO main." + table +
                     " SELECT * FROM other." + table);
  CHECK(open_verdict(folder) != "done");
  CHECK(open_verdict(folder) != "internal_error");
}

TEST_CASE("Without its journal, or with a part of it, a store opens as it once was, or says what is wrong") {
  AppOffice office;
  App app(office);
  for (int i = 0; i < 20; ++i) app.write("summary", text("Cell " + std::to_string(i)));
  const std::string file = content_of(database_in(app.folder()));
  const std::string journal = content_of(database_in(app.folder()) + "-wal");
  REQUIRE(journal.size() > 10'000);
  const TemporaryFolder copy;
  const std::string folder = (copy.path() / "store").string();
  std::filesystem::create_directories(folder);
  std::mt19937_64 random(1);
  const int tries = long_profile() ? 500 : 50;
  for (int i = 0; i < tries; ++i) {
    std::string altered = journal;
    if (i > 0 && i % 2 == 0) altered[random() % altered.size()] ^= 1;
    if (i % 2 == 1) altered.resize(random() % altered.size());
    write_to(database_in(folder), file);
    std::filesystem::remove(database_in(folder) + "-shm");
    std::filesystem::remove(database_in(folder) + "-wal");
    if (i > 0) write_to(database_in(folder) + "-wal", altered);
    INFO("try " << i);
    auto opened = Database::open({.directory = folder, .create = false, .credentials = app_credentials()});
    if (i == 0) CHECK(verdict(opened) == "journal_missing");
    if (!opened) {
      CHECK(verdict(opened) != "internal_error");
      CHECK(verdict(opened) != "not_found");
      continue;
    }
    // Never an empty new store.
    CHECK((*opened)->identity().enrolled);
    CHECK(must((*opened)->status()).records <= 20);
  }
}

TEST_CASE("A store whose journal was taken away says so, and opens without it where it is told to") {
  AppOffice office;
  App app(office);
  app.restart();
  app.write("summary", text("Cell 1"));
  const TemporaryFolder copy;
  const std::string folder = (copy.path() / "store").string();
  std::filesystem::create_directories(folder);
  // The app is running, and ends here.
  write_to(database_in(folder), content_of(database_in(app.folder())));
  CHECK(open_verdict(folder) == "journal_missing");
  CHECK(open_verdict(folder) == "journal_missing");
  write_to(database_in(folder) + "-wal", "");
  CHECK(open_verdict(folder) == "journal_missing");
  CHECK(verdict(Database::open({.directory = folder, .credentials = {.passphrase = "not this"}})) ==
        "wrong_passphrase");
  // With its journal all is well, also where somebody looked at it without the passphrase.
  write_to(database_in(folder) + "-wal", content_of(database_in(app.folder()) + "-wal"));
  static_cast<void>(must(Database::open({.directory = folder, .create = false})));
  CHECK(open_verdict(folder) == "done");
  // Closed in order it needs none.
  CHECK_FALSE(std::filesystem::exists(database_in(folder) + "-wal"));
  CHECK(open_verdict(folder) == "done");

  // The first save was moved into the file, the second is lost.
  app.write("summary", text("Cell 2"));
  write_to(database_in(folder), content_of(database_in(app.folder())));
  {
    const auto opened = must(Database::open(
        {.directory = folder, .create = false, .credentials = app_credentials(), .accept_missing_journal = true}));
    CHECK(must(opened->status()).records == 1);
  }
  CHECK(open_verdict(folder) == "done");
}

TEST_CASE("A store whose file is a link finds the journal beside what it leads to") {
  AppOffice office;
  App app(office);
  app.write("summary", text("Cell 1"));
  const TemporaryFolder copy;
  const auto folder_named = [&](const char* name) {
    const std::string folder = (copy.path() / name).string();
    std::filesystem::create_directories(folder);
    return folder;
  };
  const std::string real = folder_named("real");
  const std::string linked = folder_named("linked");
  write_to(database_in(real), content_of(database_in(app.folder())));
  write_to(database_in(real) + "-wal", content_of(database_in(app.folder()) + "-wal"));
  std::filesystem::create_symlink(database_in(real), database_in(linked));
  CHECK(open_verdict(linked) == "done");
}

TEST_CASE("A journal is needed from the first save on until the store is closed, or unlocked anew") {
  AppOffice office;
  App app(office);
  const TemporaryFolder copy;
  const std::string folder = (copy.path() / "store").string();
  std::filesystem::create_directories(folder);
  const auto verdict_without_journal = [&] {
    std::filesystem::remove(database_in(folder) + "-wal");
    write_to(database_in(folder), content_of(database_in(app.folder())));
    return open_verdict(folder);
  };
  app.restart();
  CHECK(verdict_without_journal() == "done");
  app.write("summary", text("Cell 1"));
  CHECK(verdict_without_journal() == "journal_missing");
  app->lock();
  // That it is not needed any more stands in the journal alone.
  CHECK(verdict_without_journal() == "journal_missing");
  must(app->unlock(app_credentials()));
  CHECK(verdict_without_journal() == "done");
  app.write("summary", text("Cell 2"));
  CHECK(verdict_without_journal() == "journal_missing");
  app.close();
  CHECK(verdict_without_journal() == "done");
}

TEST_CASE("Another passphrase opens the store in the former one's place, and up to eight ways lead in") {
  AppOffice office;
  App app(office);
  const auto key = [](char byte) {
    return Credentials{{}, [byte](std::string_view) -> Result<std::string> { return std::string(32, byte); }};
  };
  CHECK(verdict(app->replace_credentials(key('x'), key('y'))) == "wrong_passphrase");
  CHECK(verdict(app->remove_credentials(app_credentials())) == "invalid_argument");
  must(app->replace_credentials(app_credentials(), key('a')));
  app->lock();
  CHECK(verdict(app->unlock(app_credentials())) == "wrong_passphrase");
  CHECK(verdict(app->add_credentials(key('a'), key('b'))) == "locked");
  must(app->unlock(key('a')));
  for (const char byte : {'b', 'c', 'd', 'e', 'f', 'g', 'h'}) must(app->add_credentials(key('a'), key(byte)));
  CHECK(verdict(app->add_credentials(key('a'), key('i'))) == "too_many_slots");
  must(app->remove_credentials(key('d')));
  app->lock();
  CHECK(verdict(app->unlock(key('d'))) == "wrong_passphrase");
  must(app->unlock(key('h')));
  CHECK(app->identity().enrolled);
  // As tests open it, for what follows.
  must(app->replace_credentials(key('a'), app_credentials()));
  app.restart();
  app.sync();
}

TEST_CASE("What is replaced or removed opens the store no more, in how many slots ever it stood") {
  AppOffice office;
  App app(office);
  const auto key = [](char byte) {
    return Credentials{{}, [byte](std::string_view) -> Result<std::string> { return std::string(32, byte); }};
  };
  const auto both = [&] { return Credentials{"correct horse", key('b').hardware_key}; };
  SECTION("added twice, it has one slot") {
    must(app->add_credentials(app_credentials(), key('a')));
    must(app->add_credentials(app_credentials(), key('a')));
    must(app->remove_credentials(key('a')));
    app->lock();
    CHECK(verdict(app->unlock(key('a'))) == "wrong_passphrase");
  }
  SECTION("a part of it has a slot of its own") {
    must(app->add_credentials(app_credentials(), key('b')));
    must(app->replace_credentials(key('b'), both()));
    must(app->add_credentials(app_credentials(), key('b')));
    must(app->remove_credentials(both()));
    app->lock();
    CHECK(verdict(app->unlock(both())) == "wrong_passphrase");
    CHECK(verdict(app->unlock(key('b'))) == "wrong_passphrase");
  }
  SECTION("in its own place") {
    must(app->replace_credentials(app_credentials(), app_credentials()));
    app->lock();
  }
  must(app->unlock(app_credentials()));
}

TEST_CASE("Who unlocks what is open shows the right credentials all the same") {
  AppOffice office;
  App app(office);
  const Credentials wrong{{}, [](std::string_view) -> Result<std::string> { return std::string(32, 'x'); }};
  CHECK(verdict(app->unlock(wrong)) == "wrong_passphrase");
  CHECK(app->lock_state() == LockState::unlocked);
  must(app->unlock(app_credentials()));
}

TEST_CASE("A person is asked for the hardware's key while others use the store") {
  AppOffice office;
  App app(office);
  const Credentials slow{{}, [&](std::string_view challenge) -> Result<std::string> {
                           must(app->status());
                           CHECK(app->lock_state() == LockState::unlocked);
                           return app_credentials().hardware_key(challenge);
                         }};
  must(app->unlock(slow));
  must(app->add_credentials(slow, app_credentials()));
}

TEST_CASE("A slot that was replaced is not put back") {
  Seized seized;
  const TemporaryFolder copies;
  const std::string folder = seized.folder_copy(copies);
  const std::string before = (copies.path() / "before.db").string();
  std::filesystem::copy_file(database_in(folder), before);
  const Credentials another{{}, [](std::string_view) -> Result<std::string> { return std::string(32, 'a'); }};
  {
    const auto database = must(Database::open({.directory = folder, .credentials = app_credentials()}));
    must(database->replace_credentials(app_credentials(), another));
  }
  CHECK(open_verdict(folder) == "wrong_passphrase");
  change(folder, "ATTACH '" + before +
                     "' AS before; DELETE FROM main.key_slot; INSERT INTO main.key_slot SELECT * FROM before.key_slot");
  CHECK(open_verdict(folder) == "storage_corrupt");
}

TEST_CASE("A wiped store opens for nobody, and a wipe that was interrupted is brought to its end") {
  Seized seized;
  const TemporaryFolder copy;
  const std::string folder = seized.folder_copy(copy);
  std::string slot;
  {
    sqlite::Connection file(database_in(folder), sqlite::OpenMode::read_only);
    auto select = file.prepare("SELECT bytes FROM key_slot");
    REQUIRE(select.step());
    slot = select.blob(0);
  }
  REQUIRE(content_of(database_in(folder)).find(slot) != std::string::npos);
  const std::string whole = content_of(database_in(folder));
  SECTION("to its end") {
    must(Database::wipe(folder));
    CHECK_FALSE(std::filesystem::exists(database_in(folder)));
    CHECK(verdict(Database::wipe(folder)) == "not_found");
    CHECK(open_verdict(folder) == "not_found");
  }
  SECTION("interrupted when the keys were gone") {
    {
      auto opened = must(api::open_local_store(database_in(folder), false, api::real_environment()));
      opened->vault.destroy();
    }
    CHECK(content_of(database_in(folder)).find(slot) == std::string::npos);
    CHECK(open_verdict(folder) == "wiped");
    CHECK_FALSE(std::filesystem::exists(database_in(folder)));
  }
  SECTION("while an app has it open") {
    const auto app = must(Database::open({.directory = folder}));
    CHECK(verdict(Database::wipe(folder)) == "in_use");
    CHECK(app->lock_state() == LockState::locked);
  }
  // Another name of the same file shows what is left of it.
  const std::string other_name = (copy.path() / "another name").string();
  SECTION("damaged, with its slots still there") {
    write_to(database_in(folder), "damaged" + whole.substr(7));
    std::filesystem::create_hard_link(database_in(folder), other_name);
    must(Database::wipe(folder));
    CHECK_FALSE(std::filesystem::exists(database_in(folder)));
    CHECK(content_of(other_name) == std::string(whole.size(), '\0'));
  }
  SECTION("never sealed") {
    std::filesystem::remove(database_in(folder));
    static_cast<void>(must(Database::open({.directory = folder})));
    std::filesystem::create_hard_link(database_in(folder), other_name);
    must(Database::wipe(folder));
    CHECK(content_of(other_name).find_first_not_of('\0') == std::string::npos);
  }
}
