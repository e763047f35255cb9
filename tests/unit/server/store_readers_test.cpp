// Connections that read the database side by side.
#include <catch2/catch.hpp>
#include <filesystem>
#include <iterator>
#include <latch>
#include <thread>
#include <vector>

#include "store/sqlite/sqlite_store.h"
#include "support/temporary_folder.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

std::size_t open_descriptors() {
  const auto all = std::filesystem::directory_iterator("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

TEST_CASE("Readers that were opened read side by side without another file") {
  constexpr int readers = 4;
  const TemporaryFolder folder;
  const auto store = server::SqliteStore::open((folder.path() / "server.db").string());
  REQUIRE(store);
  REQUIRE((*store)->open_readers(readers));
  const std::size_t before = open_descriptors();
  std::latch all_read(readers + 1), counted(1);
  std::vector<std::jthread> threads;
  for (int i = 0; i < readers; ++i) {
    threads.emplace_back([&] {
      static_cast<void>((*store)->read([&](server::ReadTransaction& transaction) -> Result<void> {
        static_cast<void>(transaction.scopes());
        all_read.arrive_and_wait();
        counted.wait();
        return {};
      }));
    });
  }
  all_read.arrive_and_wait();
  const std::size_t within = open_descriptors();
  counted.count_down();
  threads.clear();
  CHECK(within == before);
}
