// Attachments on the device: what is stored is what is read, and what was put in another's
// place, left out or turned is noticed.
#include <catch2/catch.hpp>

#include "storage/attachments.h"
#include "storage/schema.h"
#include "support/core_builders.h"
#include "support/temporary_folder.h"
#include "support/test_unlocking.h"

using namespace fieldsync;
using namespace fieldsync::testing;
using storage::AttachmentRow;
using storage::AttachmentState;
using storage::TransferKind;

namespace {

struct Store {
  TemporaryFolder folder;
  std::unique_ptr<sqlite::Connection> connection =
      std::move(*storage::open_store((folder.path() / "fieldsync.db").string(), true));
  storage::Vault vault{*connection};
  storage::Attachments attachments{*connection, vault};

  Store() { REQUIRE(open_vault(*connection, vault)); }

  template <typename Body>
  auto change(Body body) {
    storage::Transaction transaction(vault);
    auto result = body();
    transaction.commit();
    return result;
  }
  AttachmentRow added(const std::string& bytes, const core::AttachmentFile& file,
                      TransferKind kind = TransferKind::photo) {
    return change([&] {
      AttachmentRow row = attachments.add(kind);
      attachments.append(row, bytes);
      return attachments.finish(row, file);
    });
  }
  AttachmentRow wanted(const core::AttachmentFile& file) {
    return change([&] {
      attachments.want(file, TransferKind::photo, record(1), scope(1));
      return *attachments.find(file.id);
    });
  }
  // As somebody with the file would.
  void tamper(const char* sql) const { connection->execute(sql); }
  [[nodiscard]] std::uint64_t pieces() const {
    auto count = connection->prepare("SELECT count(*) FROM attachment_piece");
    count.step();
    return count.unsigned_integer(0);
  }
};

core::AttachmentFile file(std::uint8_t number, std::size_t size) {
  return {{{number}}, static_cast<std::uint32_t>(size)};
}

std::string bytes_of(std::size_t size, char first = 'a') {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(first + i * 7 % 191);
  return bytes;
}

}  // namespace

TEST_CASE("What was added is read from every place on") {
  Store store;
  const std::string bytes = bytes_of(200'000);
  const AttachmentRow row = store.added(bytes, file(1, bytes.size()));
  CHECK(store.attachments.read(row, 0, bytes.size()) == bytes);
  for (const std::uint32_t offset : {1U, 65'535U, 65'536U, 65'537U, 131'072U, 199'999U}) {
    for (const std::size_t most : {std::size_t{1}, std::size_t{64}, std::size_t{70'000}, bytes.size()})
      CHECK(store.attachments.read(row, offset, most) == bytes.substr(offset, most));
  }
  CHECK(store.attachments.read(row, 200'000, 1).empty());
}

TEST_CASE("What arrives in pieces of any size is one file") {
  Store store;
  const std::string bytes = bytes_of(150'000);
  AttachmentRow row = store.wanted(file(2, bytes.size()));
  const std::vector<std::size_t> sizes{1, 4'000, 65'536, 1, 70'000, 10'462};
  for (std::size_t at = 0, i = 0; at < bytes.size(); at += sizes[i], ++i) {
    store.change([&] { return store.attachments.append(row, bytes.substr(at, sizes[i])), 0; });
    CHECK(store.attachments.find(row.file.id)->bytes_here == at + sizes[i]);
  }
  CHECK(store.attachments.read(row, 0, bytes.size()) == bytes);
  CHECK(store.attachments.read(row, 66'000, 9'000) == bytes.substr(66'000, 9'000));
}

TEST_CASE("The same bytes once more are kept once") {
  Store store;
  const std::string bytes = bytes_of(70'000);
  const AttachmentRow first = store.added(bytes, file(1, bytes.size()));
  const AttachmentRow second = store.added(bytes, file(1, bytes.size()));
  CHECK(first.row == second.row);
  CHECK(store.pieces() == 2);
}

TEST_CASE("A save makes an attachment wait, and the office's word ends that") {
  Store store;
  AttachmentRow row = store.added("photo", file(1, 5));
  CHECK(row.state == AttachmentState::added);
  CHECK_FALSE(store.attachments.waits_for_scope(scope(1)));
  store.change([&] { return store.attachments.name_in(row.file.id, record(1), scope(1)), 0; });
  CHECK(store.attachments.in_state(AttachmentState::waiting).size() == 1);
  CHECK(store.attachments.waits_for_scope(scope(1)));
  CHECK_FALSE(store.attachments.waits_for_scope(scope(2)));
  store.change([&] {
    AttachmentRow waiting = *store.attachments.find(row.file.id);
    return store.attachments.set_held(waiting), 0;
  });
  CHECK_FALSE(store.attachments.waits_for_scope(scope(1)));
  // In another record, perhaps of another scope: the office is asked again.
  store.change([&] { return store.attachments.name_in(row.file.id, record(2), scope(2)), 0; });
  CHECK(store.attachments.waits_for_scope(scope(2)));
}

TEST_CASE("What was lost at the office is offered anew") {
  Store store;
  AttachmentRow row = store.added("photo", file(1, 5));
  store.change([&] { return store.attachments.name_in(row.file.id, record(1), scope(1)), 0; });
  row = *store.attachments.read_again(row);
  store.change([&] { return store.attachments.set_held(row), 0; });
  store.change([&] { return store.attachments.offer_anew(), 0; });
  CHECK(store.attachments.in_state(AttachmentState::waiting).size() == 1);
}

TEST_CASE("What was named before it was added here is this device's to send") {
  Store store;
  const core::AttachmentFile photo = file(1, 5);
  store.wanted(photo);
  store.change([&] { return store.attachments.name_in(photo.id, record(2), scope(2)), 0; });
  store.added("photo", photo);
  CHECK(store.attachments.in_state(AttachmentState::waiting).size() == 1);
  CHECK(store.attachments.waits_for_scope(scope(2)));
}

TEST_CASE("They travel in the order of their kinds") {
  Store store;
  store.added("d", file(1, 1), TransferKind::document);
  store.added("p", file(2, 1), TransferKind::photo);
  store.added("a", file(3, 1), TransferKind::audio);
  store.added("s", file(4, 1), TransferKind::preview);
  std::vector<TransferKind> kinds;
  for (const AttachmentRow& row : store.attachments.in_state(AttachmentState::added)) kinds.push_back(row.kind);
  CHECK(kinds == std::vector{TransferKind::preview, TransferKind::audio, TransferKind::photo, TransferKind::document});
}

TEST_CASE("What was being added when the app ended is dropped with its bytes") {
  Store store;
  store.change([&] {
    AttachmentRow row = store.attachments.add(TransferKind::audio);
    store.attachments.append(row, bytes_of(100'000));
    return 0;
  });
  CHECK(store.pieces() == 2);
  store.change([&] { return store.attachments.drop_unfinished(), 0; });
  CHECK(store.pieces() == 0);
  CHECK(store.attachments.all().empty());
}

TEST_CASE("A scope that was left takes its attachments along") {
  Store store;
  const AttachmentRow here = store.added("photo", file(1, 5));
  const AttachmentRow other = store.added("other", file(2, 5));
  store.change([&] {
    store.attachments.name_in(here.file.id, record(1), scope(1));
    store.attachments.name_in(other.file.id, record(2), scope(2));
    store.attachments.remove_of_scope(scope(1));
    return 0;
  });
  CHECK_FALSE(store.attachments.find(here.file.id));
  CHECK(store.attachments.find(other.file.id));
  CHECK(store.pieces() == 1);
}

TEST_CASE("A piece that was left out, swapped, turned or put back is noticed when it is read") {
  Store store;
  const std::string bytes = bytes_of(200'000);
  const AttachmentRow row = store.added(bytes, file(1, bytes.size()));
  const AttachmentRow other = store.added(bytes_of(200'000, 'b'), file(2, bytes.size()));
  REQUIRE(other.row == row.row + 1);
  const auto is_noticed = [&] {
    try {
      return store.attachments.read(row, 0, bytes.size()) != bytes;
    } catch (const sqlite::SqliteError& error) {
      return error.code() == Errc::storage_corrupt;
    }
  };
  SECTION("left out at the beginning") {
    store.tamper("DELETE FROM attachment_piece WHERE place = (SELECT min(place) FROM attachment_piece)");
    CHECK(is_noticed());
  }
  SECTION("left out in the middle") {
    store.tamper("DELETE FROM attachment_piece WHERE place % 134217728 = 65536");
    CHECK(is_noticed());
  }
  SECTION("left out at the end") {
    store.tamper("DELETE FROM attachment_piece WHERE place % 134217728 = 196608");
    CHECK(is_noticed());
  }
  SECTION("another's in its place") {
    store.tamper(
        "UPDATE attachment_piece AS a SET content = (SELECT content FROM attachment_piece b"
        " WHERE b.place = a.place + 134217728) WHERE place / 134217728 = (SELECT min(row) FROM attachment)");
    CHECK(is_noticed());
  }
  SECTION("its own, two places swapped") {
    store.tamper(
        "UPDATE attachment_piece SET content = (SELECT content FROM attachment_piece WHERE place % 134217728 = 65536)"
        " WHERE place % 134217728 = 0");
    CHECK(is_noticed());
  }
  SECTION("a byte turned") {
    store.tamper("UPDATE attachment_piece SET content = substr(content, 1, 60000) || x'00' || substr(content, 60002)");
    CHECK(is_noticed());
  }
  SECTION("nothing") { CHECK_FALSE(is_noticed()); }
}

TEST_CASE("The bytes of one that is gone do not come back under another's number") {
  Store store;
  const AttachmentRow gone = store.added("what somebody said", file(1, 18));
  store.tamper("CREATE TEMP TABLE kept AS SELECT * FROM attachment_piece");
  store.change([&] { return store.attachments.remove(gone), 0; });
  const AttachmentRow next = store.added("what another said!", file(2, 18));
  REQUIRE(next.row == gone.row);
  store.tamper("UPDATE attachment_piece SET content = (SELECT content FROM kept)");
  CHECK_THROWS_AS(store.attachments.read(next, 0, 18), sqlite::SqliteError);
  CHECK_FALSE(store.attachments.read_again(gone));
}
