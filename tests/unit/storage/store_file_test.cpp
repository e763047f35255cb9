// A store's file: opened by one program, left alone where it is not ours.
#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "storage/directory.h"
#include "storage/identity.h"
#include "storage/schema.h"
#include "support/core_builders.h"
#include "support/temporary_folder.h"
#include "support/test_unlocking.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

struct File {
  TemporaryFolder folder;
  std::string path = (folder.path() / "fieldsync.db").string();

  void write(const std::string& content) const { std::ofstream(path, std::ios::binary) << content; }
  [[nodiscard]] std::string read() const {
    std::ostringstream content;
    content << std::ifstream(path, std::ios::binary).rdbuf();
    return content.str();
  }
  // Open, with its vault.
  struct Open {
    explicit Open(const std::string& path) : connection(std::move(*storage::open_store(path, true))) {
      REQUIRE(open_vault(*connection, vault));
    }
    std::unique_ptr<sqlite::Connection> connection;
    storage::Vault vault{*connection};
    storage::Identity identity{*connection, vault};
    storage::Directory directory{*connection, vault};
  };
  [[nodiscard]] std::string_view verdict(bool create = true) const {
    const auto opened = storage::open_store(path, create);
    return opened ? std::string_view("opened") : describe(opened.error().code).name;
  }
};

}  // namespace

TEST_CASE("A store that is not there is made, or not, as asked") {
  const File file;
  CHECK(file.verdict(false) == "not_found");
  CHECK_FALSE(std::filesystem::exists(file.path));
  CHECK(file.verdict(true) == "opened");
  CHECK(file.verdict(false) == "opened");
}

// After a change of the tables a new file does not open, and this says what schema.cpp must name.
TEST_CASE("The tables of a store are known word for word") {
  const File file;
  static_cast<void>(storage::open_store(file.path, true));
  sqlite::Connection made(file.path, sqlite::OpenMode::read_only);
  CHECK(storage::schema_hash(made) == "e91d5b399e464fa23b458d96ba73636a3b993dcf81b57b6b99a351dfc04d3e85");
}

TEST_CASE("A second opener is told that the store is in use, until the first closes it") {
  const File file;
  {
    const auto first = storage::open_store(file.path, true);
    REQUIRE(first);
    CHECK(file.verdict() == "in_use");
  }
  CHECK(file.verdict() == "opened");
}

TEST_CASE("A file that is no database is left exactly as it is") {
  const File file;
  const std::string content = "Cell 4 has no window.\n" + std::string(5'000, 'x');
  file.write(content);
  CHECK(file.verdict() == "storage_corrupt");
  CHECK((file.read() == content));
}

TEST_CASE("A store with a damaged page of its schema is left exactly as it is") {
  const File file;
  { const File::Open made(file.path); }
  std::string content = file.read();
  for (std::size_t at = 100; at < 1'000; ++at) content[at] = '\x5a';
  file.write(content);
  CHECK(file.verdict() == "storage_corrupt");
  CHECK((file.read() == content));
}

TEST_CASE("A store whose manifest says nothing of its journal opens: the first ones were written so") {
  const File file;
  {
    File::Open store(file.path);
    const seal::CellPlace place{seal::Place::manifest, {}};
    auto select = store.connection->prepare("SELECT manifest FROM store");
    REQUIRE(select.step());
    std::string manifest = store.vault.read(place, select.blob(0));
    manifest.resize(manifest.size() - 8);
    storage::Transaction transaction(store.vault);
    const std::string cell = store.vault.seal(place, manifest);
    auto update = store.connection->prepare("UPDATE store SET manifest = ?1");
    update.bind_blob(1, cell).run();
    transaction.commit();
  }
  const File::Open store(file.path);
  CHECK(store.vault.is_open());
}

TEST_CASE("Another application's database is refused and left as it is") {
  const File file;
  {
    sqlite::Connection other(file.path, sqlite::OpenMode::read_write);
    other.execute("PRAGMA application_id=7; CREATE TABLE theirs(x);");
  }
  CHECK(file.verdict() == "storage_corrupt");
  sqlite::Connection other(file.path, sqlite::OpenMode::read_write);
  CHECK_FALSE(other.prepare("SELECT x FROM theirs").step());
}

TEST_CASE("A store of a newer program is refused and left as it is") {
  const File file;
  {
    const auto opened = storage::open_store(file.path, true);
    REQUIRE(opened);
    (*opened)->execute("PRAGMA user_version=99");
  }
  CHECK(file.verdict() == "storage_too_new");
  sqlite::Connection newer(file.path, sqlite::OpenMode::read_write);
  auto version = newer.prepare("PRAGMA user_version");
  REQUIRE(version.step());
  CHECK(version.integer(0) == 99);
}

TEST_CASE("What is known of the device, its person and its server is there after a restart") {
  const File file;
  const std::vector<std::string> pins{std::string(32, 'a'), std::string(32, '\0')};
  {
    File::Open open(file.path);
    storage::Identity& identity = open.identity;
    CHECK(identity.private_key_pem().empty());
    CHECK(identity.person().is_none());
    CHECK(identity.last_counter() == 0);
    CHECK_FALSE(identity.last_sync());
    storage::Transaction transaction(open.vault);
    identity.set_key("key", "certificate", device(1));
    identity.set_person(person(2), "Бакыт");
    identity.set_server("office.example:9443");
    identity.set_server_pins(pins);
    identity.set_last_counter(UINT64_MAX);
    identity.set_last_sync({7});
    transaction.commit();
  }
  File::Open open(file.path);
  storage::Identity& identity = open.identity;
  CHECK(identity.private_key_pem() == "key");
  CHECK(identity.certificate_pem() == "certificate");
  CHECK(identity.device() == device(1));
  CHECK(identity.person() == person(2));
  CHECK(identity.person_name() == "Бакыт");
  CHECK(identity.server() == "office.example:9443");
  CHECK((identity.server_pins() == pins));
  CHECK(identity.last_counter() == UINT64_MAX);
  CHECK(identity.last_sync() == core::Instant{7});
}

TEST_CASE("A form that this program cannot read is kept and not shown") {
  const File file;
  File::Open open(file.path);
  storage::Directory& directory = open.directory;
  storage::Transaction transaction(open.vault);
  v1::SyncReply reply;
  v1::Form& form = *reply.add_forms();
  form.set_name("visit");
  form.set_version(9);
  form.add_fields()->set_type(static_cast<v1::FieldType>(99));
  REQUIRE(directory.put_forms(reply));
  CHECK(directory.form("visit") == nullptr);
  CHECK(directory.forms().empty());
}

TEST_CASE("Somebody whose name is not known is shown by the beginning of their id") {
  const File file;
  File::Open open(file.path);
  storage::Directory& directory = open.directory;
  storage::Transaction transaction(open.vault);
  CHECK(directory.person_name(person(1)) == "11000000");
  v1::SyncReply reply;
  v1::Person& known = *reply.add_people();
  known.set_id(std::string(person(1).view()));
  known.set_name("Айгүл");
  directory.put_people(reply.people());
  CHECK(directory.person_name(person(1)) == "Айгүл");
}

TEST_CASE("A full disk refuses the save, and what was there before stays") {
  const File file;
  File::Open open(file.path);
  storage::Identity& identity = open.identity;
  const auto moves_to = [&](const char* address) {
    storage::Transaction transaction(open.vault);
    identity.set_server(address);
    transaction.commit();
  };
  moves_to("office.example:9443");
  // No more pages than there are now.
  open.connection->execute("PRAGMA max_page_count=1");
  const auto saved = sqlite::guard([&]() -> Result<void> {
    storage::Transaction transaction(open.vault);
    identity.set_server("other.example:9443");
    identity.set_key(std::string(100'000, 'k'), "certificate", device(1));
    transaction.commit();
    return {};
  });
  REQUIRE_FALSE(saved);
  CHECK(saved.error().code == Errc::storage_full);
  CHECK(identity.server() == "office.example:9443");
  CHECK(identity.private_key_pem().empty());
  moves_to("new.example:9443");
  CHECK(identity.server() == "new.example:9443");
}
