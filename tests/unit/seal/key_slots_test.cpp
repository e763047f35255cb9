// Which credentials open a store, what a planted or damaged slot may do, and what stays
// when slots come and go.
#include "seal/key_slots.h"

#include <sodium.h>

#include <catch2/catch.hpp>
#include <chrono>

using namespace fieldsync;
using namespace fieldsync::seal;

namespace {

Secret data_key() {
  REQUIRE(sodium_init() >= 0);
  return Secret::copy_of(std::string(data_key_bytes, 'k'));
}

HardwareKey hardware(char byte) {
  return [byte](std::string_view salt) -> Result<Secret> {
    Secret key(hardware_key_bytes);
    for (std::size_t i = 0; i < key.size(); ++i)
      key.data()[i] = static_cast<unsigned char>(static_cast<unsigned char>(salt[i % salt.size()]) ^ byte);
    return key;
  };
}
HardwareKey no_answer() {
  return [](std::string_view) -> Result<Secret> { return Error{Errc::cancelled, "The fingerprint was not given."}; };
}

StoreId store(unsigned char byte = 1) {
  StoreId id;
  id.bytes.fill(byte);
  return id;
}

std::string_view outcome(const Result<KeySlots::Opened>& opened) {
  if (!opened) return describe(opened.error().code).name;
  return opened->data_key.view() == data_key().view() ? "opened" : "another key";
}

// A number in a slot, least byte first.
std::string with_number(std::string slot, std::size_t at, std::size_t size, std::uint64_t number) {
  for (std::size_t i = 0; i < size; ++i) slot[at + i] = static_cast<char>(number >> (8 * i));
  return slot;
}
constexpr std::size_t passes_at = 2;
constexpr std::size_t memory_at = 6;

// By tests/conformance/sealed_cells.py, of threes as the hardware's key.
constexpr std::string_view made_elsewhere =
    "0102000000000000000000000000000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f1011"
    "121314151617989b9f63745b66054cfdcaf16de453ddb38fe5353e7555e185dcfacbd4f8151c7518a05a15dd4c9c66c0"
    "f3ed037d20b539ce24159af6ef2d185942673a4dc977b93423ad35aa381a0e16602d9cce0b1a";

}  // namespace

TEST_CASE("A slot opens with what it was made with, and with nothing else") {
  KeySlots slots(store());
  CHECK(*slots.add(data_key(), {"correct horse battery", {}}, cost_min) == 0);
  CHECK(slots.has_passphrase());
  CHECK(outcome(slots.open({"correct horse battery", {}})) == "opened");
  CHECK(outcome(slots.open({"correct horse batterz", {}})) == "wrong_passphrase");
  CHECK(outcome(slots.open({"", hardware(1)})) == "wrong_passphrase");
  CHECK(outcome(slots.open({})) == "wrong_passphrase");
  CHECK(outcome(slots.open({std::string(2'000, 'x'), {}})) == "wrong_passphrase");
  // What can be shown besides does no harm.
  CHECK(outcome(slots.open({"correct horse battery", no_answer()})) == "opened");
}

TEST_CASE("A hardware key opens its slot, and so does a passphrase with it; neither alone opens both") {
  KeySlots slots(store());
  REQUIRE(slots.add(data_key(), {"", hardware(1)}, {}));
  CHECK_FALSE(slots.has_passphrase());
  CHECK(outcome(slots.open({"", hardware(1)})) == "opened");
  CHECK(outcome(slots.open({"", hardware(2)})) == "wrong_passphrase");
  CHECK(outcome(slots.open({"", no_answer()})) == "cancelled");
  REQUIRE(slots.remove_all_of({"", hardware(1)}));
  REQUIRE(slots.add(data_key(), {"1234", hardware(1)}, cost_min));
  CHECK(outcome(slots.open({"1234", hardware(1)})) == "opened");
  CHECK(outcome(slots.open({"1234", {}})) == "wrong_passphrase");
  CHECK(outcome(slots.open({"", hardware(1)})) == "wrong_passphrase");
  CHECK(outcome(slots.open({"1234", hardware(2)})) == "wrong_passphrase");
  CHECK(outcome(slots.open({"4321", hardware(1)})) == "wrong_passphrase");
}

TEST_CASE("Eight slots open one store, each can be taken away, and a ninth is refused") {
  KeySlots slots(store());
  for (char i = 0; i < 8; ++i) CHECK(*slots.add(data_key(), {"", hardware(i)}, {}) == static_cast<std::size_t>(i));
  const auto ninth = slots.add(data_key(), {"", hardware(9)}, {});
  REQUIRE_FALSE(ninth);
  CHECK(ninth.error().code == Errc::too_many_slots);
  REQUIRE(slots.remove_all_of({"", hardware(3)}));
  CHECK(outcome(slots.open({"", hardware(3)})) == "wrong_passphrase");
  const auto opened = slots.open({"", hardware(7)});
  CHECK(outcome(opened) == "opened");
  CHECK(opened->slot == 7);
  CHECK(*slots.add(data_key(), {"", hardware(9)}, {}) == 3);
  // As it is stored and read again.
  KeySlots again(store());
  for (const auto& [number, bytes] : slots.stored()) REQUIRE(again.take(number, bytes));
  CHECK(outcome(again.open({"", hardware(9)})) == "opened");
}

TEST_CASE("A slot needs something to open it with, within its bounds") {
  KeySlots slots(store());
  const auto refuses = [&](const Credentials& credentials, const KeyCost& cost) {
    const auto added = slots.add(data_key(), credentials, cost);
    REQUIRE_FALSE(added);
    CHECK(added.error().code == Errc::invalid_argument);
  };
  refuses({}, cost_min);
  refuses({std::string(1'025, 'x'), {}}, cost_min);
  refuses({"x", {}}, {2, cost_min.memory_bytes});
  refuses({"x", {}}, {3, cost_min.memory_bytes - 1});
  refuses({"x", {}}, {65, cost_min.memory_bytes});
  refuses({"x", {}}, {3, cost_max.memory_bytes + 1});
  const HardwareKey short_key = [](std::string_view) -> Result<Secret> { return Secret(16); };
  refuses({"", short_key}, {});
  CHECK(slots.stored().empty());
}

TEST_CASE("A slot whose cost was planted is refused before it is paid") {
  KeySlots made(store());
  REQUIRE(made.add(data_key(), {"correct horse battery", {}}, cost_min));
  const std::string slot = made.stored().at(0);
  const auto refuses = [&](const std::string& planted) {
    KeySlots slots(store());
    const auto begin = std::chrono::steady_clock::now();
    const auto taken = slots.take(0, planted);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == Errc::storage_corrupt);
    CHECK(slots.stored().empty());
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(20));
  };
  refuses(with_number(slot, memory_at, 8, 4ULL << 30));
  refuses(with_number(slot, memory_at, 8, UINT64_MAX));
  refuses(with_number(slot, memory_at, 8, 8 * 1024));
  refuses(with_number(slot, passes_at, 4, UINT32_MAX));
  refuses(with_number(slot, passes_at, 4, 1));
  refuses(with_number(slot, 0, 1, 2));
  refuses(with_number(slot, 1, 1, 0));
  refuses(with_number(slot, 1, 1, 4));
  refuses(with_number(slot, 1, 1, 2));
  refuses(slot.substr(1));
  refuses(slot + "x");
  refuses("");
  KeySlots slots(store());
  CHECK_FALSE(slots.take(8, slot));
}

TEST_CASE("A slot that was altered, or is another store's, opens nothing") {
  KeySlots made(store());
  REQUIRE(made.add(data_key(), {"", hardware(1)}, {}));
  const std::string slot = made.stored().at(0);
  for (std::size_t at = 0; at < slot.size(); ++at) {
    std::string altered = slot;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    KeySlots slots(store());
    if (!slots.take(0, altered)) continue;
    const auto opened = outcome(slots.open({"", hardware(1)}));
    INFO(at);
    CHECK((opened == "wrong_passphrase" || opened == "storage_corrupt"));
  }
  KeySlots elsewhere(store(2));
  REQUIRE(elsewhere.take(0, slot));
  CHECK(outcome(elsewhere.open({"", hardware(1)})) == "storage_corrupt");
}

TEST_CASE("A slot that another implementation made opens") {
  const auto slot = core::from_hex(made_elsewhere);
  REQUIRE(slot);
  KeySlots slots(store(2));
  REQUIRE(slots.take(0, *slot));
  const HardwareKey threes = [](std::string_view) -> Result<Secret> {
    return Secret::copy_of(std::string(hardware_key_bytes, '\3'));
  };
  const auto opened = slots.open({"", threes});
  REQUIRE(opened);
  CHECK(opened->data_key.view() == std::string(data_key_bytes, '\1'));
}

TEST_CASE("The cost is measured on the device, and never below the floor") {
  // Two readings around the floor's cost, and two around the larger memory's.
  const auto calibrated_at = [](std::int64_t floor_ms, std::int64_t larger_ms) {
    std::vector<std::int64_t> readings{larger_ms, 0, floor_ms, 0};
    return calibrated_cost([&] {
      const core::Milliseconds now{readings.back()};
      readings.pop_back();
      return now;
    });
  };
  constexpr std::uint64_t mebibyte = 1024 * 1024;
  CHECK(calibrated_at(5'000, 0) == cost_min);
  CHECK(calibrated_at(1'000, 0) == cost_min);
  CHECK(calibrated_at(400, 800) == KeyCost{3, 128 * mebibyte});
  CHECK(calibrated_at(100, 400) == KeyCost{7, 256 * mebibyte});
  CHECK(calibrated_at(1, 4) == KeyCost{64, 256 * mebibyte});
}
