// What opens a store is replaced, and the power goes at each change of the disk: after that
// exactly one of the two opens it, and once the call had returned, the new one.
#include <sodium.h>

#include <catch2/catch.hpp>
#include <random>

#include "api/unlocking.h"
#include "sim/disk/simulated_vfs.h"

namespace fieldsync::team {
namespace {

const std::string file = "/sim/phone/fieldsync.db";

Credentials key(char letter) {
  return {{}, [letter](std::string_view challenge) -> Result<std::string> {
            const std::string asked = letter + std::string(challenge);
            std::string answer(32, '\0');
            crypto_generichash(reinterpret_cast<unsigned char*>(answer.data()), answer.size(),
                               reinterpret_cast<const unsigned char*>(asked.data()), asked.size(), nullptr, 0);
            return answer;
          }};
}

Result<std::unique_ptr<api::LocalStore>> open(const Credentials& credentials, bool create) {
  auto store = api::open_local_store(file, create, api::real_environment());
  if (!store) return store;
  if (auto unlocked = api::unlock_with(**store, credentials); !unlocked) return unlocked.error();
  return store;
}

// "opens", or why not.
std::string outcome(const Credentials& credentials) {
  const auto store = open(credentials, false);
  return store ? "opens" : std::string(describe(store.error().code).name);
}

bool holds(const sim::Machine& machine, const std::string& bytes) {
  for (const std::string& name : machine.files().names()) {
    if (machine.files().content(*machine.files().find(name)).find(bytes) != std::string::npos) return true;
  }
  return false;
}

// Whether the call returned before the power went, at the `nth` change from its beginning.
bool replace_and_cut_power(std::uint64_t nth, std::uint64_t seed) {
  CAPTURE(nth, seed);
  std::mt19937_64 generator(seed);
  sim::SimulatedVfs vfs([&] { return generator(); }, [] { return std::int64_t{1'795'500'000'000}; });
  sim::Machine& phone = vfs.add_machine("/sim/phone");
  std::string slot;
  bool returned = false;
  {
    const auto store = open(key('a'), true);
    REQUIRE(store);
    slot = (*store)->vault.slots()->stored().begin()->second;
    REQUIRE(holds(phone, slot));
    phone.inject({sim::Fault::Effect::power_cut, sim::Among::changes, nth});
    const Credentials added = key('b');
    returned = static_cast<bool>(api::change_credentials(**store, key('a'), api::Known::goes, &added));
    if (phone.is_running()) CHECK_FALSE(holds(phone, slot));
  }
  const bool was_cut = !phone.is_running();
  if (!was_cut) phone.cut_power();
  phone.start();
  phone.clear_faults();
  const std::string former = outcome(key('a'));
  const std::string latter = outcome(key('b'));
  // Where the power went before the log was emptied, the next who opens it does that.
  CHECK(holds(phone, slot) == (former == "opens"));
  if (returned) {
    CHECK(former == "wrong_passphrase");
    CHECK(latter == "opens");
  } else {
    CHECK((former == "opens") != (latter == "opens"));
    CHECK((former == "wrong_passphrase" || latter == "wrong_passphrase"));
  }
  return !was_cut;
}

TEST_CASE("What opened a store is nowhere on the disk when it was replaced, however little room there is",
          "[sim][team]") {
  std::size_t replaced = 0;
  std::size_t refused = 0;
  for (std::size_t room = 0; room < 60'000; room += 700) {
    CAPTURE(room);
    std::mt19937_64 generator(room);
    sim::SimulatedVfs vfs([&] { return generator(); }, [] { return std::int64_t{1'795'500'000'000}; });
    sim::Machine& phone = vfs.add_machine("/sim/phone");
    const auto store = open(key('a'), true);
    REQUIRE(store);
    const std::string slot = (*store)->vault.slots()->stored().begin()->second;
    // From the second save on there is something in the log that was not moved.
    for (const char* server : {"one.example:1", "two.example:2"}) {
      storage::Transaction transaction((*store)->vault);
      (*store)->identity.set_server(server);
      transaction.commit();
    }
    std::size_t used = 0;
    for (const std::string& name : phone.files().names())
      used += phone.files().content(*phone.files().find(name)).size();
    phone.set_capacity(used + room);
    const Credentials added = key('b');
    if (api::change_credentials(**store, key('a'), api::Known::goes, &added)) {
      CHECK_FALSE(holds(phone, slot));
      ++replaced;
    } else {
      ++refused;
    }
  }
  CHECK(replaced > 0);
  CHECK(refused > 0);
}

TEST_CASE("A store whose disk has no room when it is locked opens again, and has lost nothing", "[sim][team]") {
  std::mt19937_64 generator(1);
  sim::SimulatedVfs vfs([&] { return generator(); }, [] { return std::int64_t{1'795'500'000'000}; });
  sim::Machine& phone = vfs.add_machine("/sim/phone");
  {
    const auto store = open(key('a'), true);
    REQUIRE(store);
    for (const char* server : {"one.example:1", "two.example:2"}) {
      storage::Transaction transaction((*store)->vault);
      (*store)->identity.set_server(server);
      transaction.commit();
    }
    phone.set_capacity(0);
    api::lock(**store);
    CHECK_FALSE((*store)->vault.is_open());
  }
  phone.set_capacity(std::nullopt);
  const auto store = open(key('a'), false);
  REQUIRE(store);
  CHECK((*store)->identity.server() == "two.example:2");
}

TEST_CASE("What opens a store is replaced at once, whenever the power goes", "[sim][team]") {
  const std::uint64_t seed = GENERATE(range(1U, 21U));
  std::uint64_t nth = 1;
  while (!replace_and_cut_power(nth, seed)) ++nth;
  CHECK(nth > 3);
}

}  // namespace
}  // namespace fieldsync::team
