// A server whose disk takes no more: uploads are refused, reads go on.
#include <sys/resource.h>

#include <csignal>

#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

// While it lives no file of this process grows past this size.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limit{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

}  // namespace

TEST_CASE("A batch that cannot be written is refused as a whole, reads go on, and it is taken once there is room") {
  TestOffice office;
  TestDevice device = office.add_device();
  office.push(device, {device.save(office.scope, new_record(), {writes_text("Before.")})});
  const v1::Batch batch =
      device.batch({device.save(office.scope, new_record(), {writes_text(std::string(60'000, 'a'))}),
                    device.save(office.scope, new_record(), {writes_text("Камера 4")}, 1)});
  {
    const FileSizeLimit nothing_grows(1);
    const Standing before = office.standing(device);
    const auto refused = office.sync(device, device.request(batch));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::storage_failed);
    CHECK(office.standing(device) == before);
    TestDevice reader = device;
    office.pull(reader);
    CHECK(reader.records[std::string(office.scope.view())].size() == 1);
  }
  const auto reply = office.sync(device, device.request(batch));
  REQUIRE(reply);
  CHECK(reply->acknowledged_counter() == 3);
}
