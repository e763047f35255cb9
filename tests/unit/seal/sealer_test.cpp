// What can be opened, with which key, and where; and what a cell shows to who has no key.
#include "seal/sealer.h"

#include <sodium.h>

#include <catch2/catch.hpp>
#include <set>

using namespace fieldsync::seal;

namespace {

Secret key_of(unsigned char byte) {
  REQUIRE(sodium_init() >= 0);
  return Secret::copy_of(std::string(data_key_bytes, static_cast<char>(byte)));
}

StoreId store(unsigned char byte) {
  StoreId id;
  id.bytes.fill(byte);
  return id;
}

const CellPlace here{Place::record_body, "record 1"};

// By tests/conformance/sealed_cells.py, with a ChaCha20 and a Poly1305 of its own.
constexpr std::string_view sealed_elsewhere =
    "010201000000000000000102030405060708090a0b0c0d0e0f1011121314151617193f4ebc2b64e340c8285bd86d760b"
    "5954c7ff75f9f112745bdb77acd866afa59b0d3a4b0d59b0523a20ddc8a66b83ea1974dc14725a98ad1a96e86ecfa191"
    "a3132e4640c2914e56e0ae0b7354464fe9";

}  // namespace

TEST_CASE("A cell opens with its key, in its store, at its place, and nowhere else") {
  const Sealer sealer(key_of(1), store(1));
  const std::string cell = sealer.seal(here, 7, "Cell 4 has no window.");
  CHECK(sealer.open(here, cell) == "Cell 4 has no window.");
  CHECK(revision_of(cell) == 7);
  CHECK_FALSE(Sealer(key_of(2), store(1)).open(here, cell));
  CHECK_FALSE(Sealer(key_of(1), store(2)).open(here, cell));
  CHECK_FALSE(sealer.open({Place::record_body, "record 2"}, cell));
  CHECK_FALSE(sealer.open({Place::record_head, "record 1"}, cell));
  CHECK_FALSE(sealer.open({Place::record_body, "record 11"}, cell));
}

TEST_CASE("A cell of which any bit was turned, or any byte cut off, does not open") {
  const Sealer sealer(key_of(1), store(1));
  const std::string cell = sealer.seal(here, 7, "no window");
  for (std::size_t bit = 0; bit < cell.size() * 8; ++bit) {
    std::string altered = cell;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
    CHECK_FALSE(sealer.open(here, altered));
  }
  for (std::size_t size = 0; size < cell.size(); ++size) CHECK_FALSE(sealer.open(here, cell.substr(0, size)));
  CHECK_FALSE(sealer.open(here, cell + '\0'));
}

TEST_CASE("Contents of every size come back, and only their padded size is seen") {
  const Sealer sealer(key_of(1), store(1));
  std::set<std::size_t> sizes;
  for (std::size_t size = 0; size < 3'000; size += size < 200 ? 1 : 37) {
    const std::string content(size, 'x');
    const std::string cell = sealer.seal(here, 1, content);
    CHECK(sealer.open(here, cell) == content);
    CHECK(cell.size() == 1 + 8 + 24 + padded_size(4 + size) + 16);
    sizes.insert(cell.size());
  }
  CHECK(sizes.size() <= 40);
  CHECK(padded_size(0) == 64);
  CHECK(padded_size(64) == 64);
  CHECK(padded_size(65) == 128);
  CHECK(padded_size(5'000) == 5'120);
  CHECK(padded_size(1'048'577) == 1'048'576 + 65'536);
}

TEST_CASE("The same content is sealed differently each time") {
  const Sealer sealer(key_of(1), store(1));
  std::set<std::string> cells;
  for (int i = 0; i < 1'000; ++i) cells.insert(sealer.seal(here, 1, "no window"));
  CHECK(cells.size() == 1'000);
}

TEST_CASE("Each purpose has a key of its own") {
  const Secret data_key = key_of(1);
  std::set<std::string> keys;
  for (const Purpose purpose : {Purpose::rows, Purpose::attachments, Purpose::row_sums, Purpose::names})
    keys.emplace(derive_key(data_key, purpose).view());
  CHECK(keys.size() == 4);
}

TEST_CASE("A cell that another implementation sealed opens") {
  const auto cell = fieldsync::core::from_hex(sealed_elsewhere);
  REQUIRE(cell);
  CHECK(Sealer(key_of(1), store(2)).open({Place::record_body, "row"}, *cell) == "Камера 4: no window.");
}
