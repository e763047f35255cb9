// Reads of sensitive records while the disk takes nothing: who was given records is put on record later.
#include "service/read_log.h"

#include <atomic>
#include <functional>
#include <thread>
#include <utility>

#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

// Its disk is full, until it is not.
class FullStore final : public server::Store {
 public:
  explicit FullStore(server::Store& behind) : behind_(behind) {}

  Result<void> read(const std::function<Result<void>(server::ReadTransaction&)>& body) override {
    return behind_.read(body);
  }
  Result<void> write(const std::function<Result<void>(server::WriteTransaction&)>& body) override {
    if (while_writing) std::exchange(while_writing, {})();
    if (!refuses) return behind_.write(body);
    std::this_thread::yield();
    return Error{*refuses, {}};
  }

  std::optional<Errc> refuses = Errc::storage_full;
  std::function<void()> while_writing;  // once

 private:
  server::Store& behind_;
};

struct ReadingOffice : TestOffice {
  TestDevice reader = add_device();
  FullStore full{*store};
  server::ReadLog log{full, service->audit_log()};

  [[nodiscard]] Result<void> read() { return log.note(reader.id, {v1::ScopeRead()}); }
  std::size_t reads_on_record() {
    std::size_t count = 0;
    REQUIRE(store->read([&](server::ReadTransaction& transaction) -> Result<void> {
      v1::AuditEntry entry;
      for (std::uint64_t number = 1; const auto row = transaction.audit_entry(number); ++number) {
        if (entry.ParseFromString(row->entry) && entry.has_read()) ++count;
      }
      return {};
    }));
    return count;
  }
};

}  // namespace

TEST_CASE("Every read that was answered while the disk was full is put on record, however many came at once") {
  constexpr int readers = 8;
  constexpr int reads_of_each = 400;
  ReadingOffice office;
  std::atomic<std::size_t> answered = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < readers; ++i) {
      threads.emplace_back([&] {
        for (int read = 0; read < reads_of_each; ++read) {
          if (office.read()) ++answered;
        }
      });
    }
  }
  CHECK(answered == 1'000);
  office.full.refuses = std::nullopt;
  office.log.write_waiting();
  CHECK(office.reads_on_record() == answered);
  REQUIRE(office.read());
  CHECK(office.reads_on_record() == answered + 1);
}

TEST_CASE("A read that fails for another reason than the disk takes no other's place with it") {
  ReadingOffice office;
  REQUIRE(office.read());
  office.full.refuses = Errc::internal_error;
  CHECK_FALSE(office.read());
  office.full.refuses = std::nullopt;
  office.log.write_waiting();
  CHECK(office.reads_on_record() == 1);
}

TEST_CASE("A read that comes while others are being written waits for none of them") {
  ReadingOffice office;
  REQUIRE(office.read());
  office.full.refuses = std::nullopt;
  office.full.while_writing = [&] { CHECK(office.read()); };
  REQUIRE(office.read());
  CHECK(office.reads_on_record() == 3);
}
