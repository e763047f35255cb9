// Two copies of one device's store are used: both give the same counters to their
// saves. The server must not take the one's saves for the other's.
#include <algorithm>

#include "codec/operation_codec.h"
#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

// A device whose store was copied after its first save.
struct Copied {
  TestOffice office;
  TestDevice device = office.add_device();
  TestDevice copy;

  Copied() {
    office.push(device, {save(device, 0, "Before the copy.")});
    copy = device;
  }
  [[nodiscard]] core::Operation save(const TestDevice& by, std::size_t before, const std::string& text) const {
    return by.save(office.scope, new_record(), {writes_text(text)}, before);
  }
};

}  // namespace

TEST_CASE("A save under a counter that another copy of the store has used is refused and not acknowledged") {
  Copied start;
  start.office.push(start.device, {start.save(start.device, 0, "Second."), start.save(start.device, 1, "Third.")});
  const v1::Batch other = start.copy.batch({start.save(start.copy, 0, "Written by the copy.")});
  start.office.refuses(start.copy, start.copy.request(other), Errc::device_forked);
  // However much follows.
  const v1::Batch longer = start.copy.batch(
      {start.save(start.copy, 0, "One."), start.save(start.copy, 1, "Two."), start.save(start.copy, 2, "Three.")});
  start.office.refuses(start.copy, start.copy.request(longer), Errc::device_forked);
  CHECK(start.office.push(start.device, {start.save(start.device, 0, "Fourth.")}).acknowledged_counter() == 4);
}

TEST_CASE("A batch that begins like the kept one and goes on otherwise is acknowledged as far as it is the same") {
  Copied start;
  const core::Operation same = start.save(start.device, 0, "Saved before the copy, sent after it.");
  start.office.push(start.device,
                    {same, start.save(start.device, 1, "Third."), start.save(start.device, 2, "Fourth.")});
  const Standing before = start.office.standing(start.device);
  const v1::Batch other = start.copy.batch({same, start.save(start.copy, 1, "Written by the copy.")});
  const auto reply = start.office.sync(start.copy, start.copy.request(other));
  REQUIRE(reply);
  CHECK(reply->acknowledged_counter() == 2);
  CHECK(reply->expected_counter() == 5);
  CHECK(start.office.standing(start.device) == before);
}

TEST_CASE("The same operations in other cuts are known, wherever the cuts are") {
  Copied start;
  std::vector<core::Operation> saves;
  for (std::size_t i = 0; i < 6; ++i) saves.push_back(start.save(start.device, i, "Cell " + std::to_string(i)));
  start.office.push(start.device, {saves[0], saves[1]});
  start.office.push(start.device, {saves[2], saves[3], saves[4]});
  const Standing before = start.office.standing(start.device);
  for (std::size_t first = 0; first < 5; ++first) {
    for (std::size_t last = first; last < 6; ++last) {
      INFO(first << " to " << last);
      start.copy.last_counter = 1 + first;
      const v1::Batch batch = start.copy.batch(std::vector<core::Operation>(
          saves.begin() + static_cast<std::ptrdiff_t>(first), saves.begin() + static_cast<std::ptrdiff_t>(last) + 1));
      const auto reply = start.office.sync(start.copy, start.copy.request(batch));
      REQUIRE(reply);
      CHECK(reply->acknowledged_counter() == 6);
      CHECK(reply->expected_counter() == 7);
    }
  }
  CHECK(start.office.standing(start.device) == before);
}

TEST_CASE("An operation in quarantine is compared too") {
  Copied start;
  const core::Operation refused = start.device.save(start.office.scope, new_record(), {writes_beds(501)});
  start.office.push(start.device, {refused});
  const auto again = start.office.sync(start.copy, start.copy.request(start.copy.batch({refused})));
  REQUIRE(again);
  CHECK(again->results_size() == 1);
  const v1::Batch other = start.copy.batch({start.save(start.copy, 0, "Written by the copy.")});
  start.office.refuses(start.copy, start.copy.request(other), Errc::device_forked);
}

TEST_CASE("Of a batch that is only partly the same, no other copy's refusals are told") {
  Copied start;
  const core::Operation same = start.save(start.device, 0, "Saved before the copy, sent after it.");
  core::Operation refused = start.device.save(start.office.scope, new_record(), {writes_beds(501)}, 1);
  start.office.push(start.device, {same, refused});
  const auto reply =
      start.office.sync(start.copy, start.copy.request(start.copy.batch({same, start.save(start.copy, 1, "Good.")})));
  REQUIRE(reply);
  CHECK(reply->acknowledged_counter() == 2);
  CHECK(reply->results_size() == 0);
}

TEST_CASE("Each reply names the last batch that the server has of the device") {
  Copied start;
  const auto prefix = [](const TestDevice& device) {
    return std::string(reinterpret_cast<const char*>(device.last_hash.data()), codec::previous_hash_prefix_bytes);
  };
  const TestDevice fresh = start.office.add_device();
  CHECK(start.office.sync(fresh, fresh.request())->last_batch_hash_prefix().empty());
  CHECK((start.office.sync(start.device, start.device.request())->last_batch_hash_prefix() == prefix(start.device)));
  const v1::SyncReply pushed = start.office.push(start.device, {start.save(start.device, 0, "Second.")});
  CHECK((pushed.last_batch_hash_prefix() == prefix(start.device)));
  CHECK((start.office.sync(start.copy, start.copy.request())->last_batch_hash_prefix() == prefix(start.device)));
}

TEST_CASE("A batch with known counters that cannot be read is refused") {
  Copied start;
  start.office.push(start.device, {start.save(start.device, 0, "Second.")});
  const auto refuses = [&](const std::string& content, v1::Encoding encoding, Errc code) {
    start.office.refuses(start.copy, start.copy.request(start.copy.batch_of(content, encoding)), code);
  };
  refuses("", v1::ENCODING_PLAIN, Errc::malformed_request);
  refuses("not a list", v1::ENCODING_PLAIN, Errc::malformed_request);
  refuses("not a frame", v1::ENCODING_ZSTD, Errc::unsupported_encoding);
  refuses("x", static_cast<v1::Encoding>(9), Errc::unsupported_encoding);
}
