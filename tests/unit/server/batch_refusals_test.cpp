// A batch that may not be taken is refused as a whole and changes nothing.
#include "codec/frame.h"
#include "codec/operation_codec.h"
#include "service/upload.h"
#include "test_office.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

// A monitor's device that already sent one batch.
struct Sent {
  TestOffice office;
  TestDevice device = office.add_device();
  v1::Batch first;

  Sent() {
    first = device.batch({save(0), save(1)});
    REQUIRE(office.sync(device, device.request(first)));
    device.acknowledged(first, 2);
  }
  [[nodiscard]] core::Operation save(std::size_t before) const {
    return device.save(office.scope, new_record(), {writes_text("Камера " + std::to_string(before))}, before);
  }
};

}  // namespace

TEST_CASE("Another protocol version is refused") {
  Sent sent;
  for (const std::uint32_t version : {0U, 2U, 4'000'000'000U}) {
    v1::SyncRequest request = sent.device.request(sent.device.batch({sent.save(0)}));
    request.set_protocol_version(version);
    sent.office.refuses(sent.device, request, Errc::unsupported_protocol_version);
  }
}

TEST_CASE("A gap in the counters changes nothing and tells where to go on") {
  Sent sent;
  v1::Batch batch = sent.device.batch({sent.save(0)});
  batch.set_first_counter(4);
  sent.device.sign(batch);
  const Standing before = sent.office.standing(sent.device);
  const auto reply = sent.office.sync(sent.device, sent.device.request(batch));
  REQUIRE(reply);
  CHECK(reply->expected_counter() == 3);
  CHECK(reply->acknowledged_counter() == 2);
  CHECK(sent.office.standing(sent.device) == before);
}

TEST_CASE("Counters that are known already are acknowledged and not doubled") {
  Sent sent;
  const Standing before = sent.office.standing(sent.device);
  const auto reply = sent.office.sync(sent.device, sent.device.request(sent.first));
  REQUIRE(reply);
  CHECK(reply->acknowledged_counter() == 2);
  CHECK(sent.office.standing(sent.device) == before);
}

TEST_CASE("Counters start at 1") {
  Sent sent;
  v1::Batch batch = sent.device.batch({sent.save(0)});
  batch.set_first_counter(0);
  sent.device.sign(batch);
  sent.office.refuses(sent.device, sent.device.request(batch), Errc::malformed_request);
}

TEST_CASE("An unknown device is refused") {
  Sent sent;
  const TestDevice stranger;
  sent.office.refuses(
      stranger, stranger.request(stranger.batch({stranger.save(sent.office.scope, new_record(), {writes_beds(1)})})),
      Errc::unknown_device);
}

TEST_CASE("A revoked device is refused, for reading and for writing") {
  Sent sent;
  sent.office.revoke(sent.device);
  sent.office.refuses(sent.device, sent.device.request(sent.device.batch({sent.save(0)})), Errc::device_revoked);
  sent.office.refuses(sent.device, sent.device.request(), Errc::device_revoked);
}

TEST_CASE("A flipped bit anywhere in the signature is found") {
  Sent sent;
  const v1::Batch good = sent.device.batch({sent.save(0)});
  for (std::size_t at = 0; at < good.signature().size(); ++at) {
    v1::Batch batch = good;
    (*batch.mutable_signature())[at] = static_cast<char>(good.signature()[at] ^ (1 << (at % 8)));
    sent.office.refuses(sent.device, sent.device.request(batch), Errc::bad_signature);
  }
}

TEST_CASE("A flipped bit in the content is found before it is decoded") {
  Sent sent;
  v1::Batch batch = sent.device.batch({sent.save(0)});
  batch.mutable_content()->back() = static_cast<char>(batch.content().back() ^ 1);
  sent.office.refuses(sent.device, sent.device.request(batch), Errc::bad_signature);
}

TEST_CASE("A signature that is missing or too short is refused") {
  Sent sent;
  v1::Batch batch = sent.device.batch({sent.save(0)});
  batch.mutable_signature()->pop_back();
  sent.office.refuses(sent.device, sent.device.request(batch), Errc::bad_signature);
  batch.clear_signature();
  sent.office.refuses(sent.device, sent.device.request(batch), Errc::bad_signature);
}

TEST_CASE("A batch that another device signed is refused") {
  Sent sent;
  TestDevice other = sent.office.add_device();
  const v1::Batch theirs = other.batch({other.save(sent.office.scope, new_record(), {writes_beds(1)})});
  TestDevice third = sent.office.add_device();
  sent.office.refuses(third, third.request(theirs), Errc::bad_signature);
}

TEST_CASE("A batch that names another previous batch breaks the chain") {
  Sent sent;
  v1::Batch batch = sent.device.batch({sent.save(0)});
  (*batch.mutable_previous_hash_prefix())[0] = static_cast<char>(batch.previous_hash_prefix()[0] ^ 1);
  sent.office.refuses(sent.device, sent.device.request(batch), Errc::batch_chain_broken);
  batch.clear_previous_hash_prefix();
  sent.office.refuses(sent.device, sent.device.request(batch), Errc::batch_chain_broken);
}

TEST_CASE("A chain that differs behind the prefix is a bad signature") {
  Sent sent;
  TestDevice forked = sent.device;
  forked.last_hash.back() = static_cast<std::uint8_t>(forked.last_hash.back() ^ 1);
  sent.office.refuses(sent.device, forked.request(forked.batch({sent.save(0)})), Errc::bad_signature);
}

TEST_CASE("A frame that is cut short is refused") {
  Sent sent;
  const v1::Batch whole = sent.device.batch({sent.save(0)});
  for (std::size_t size = 0; size < whole.content().size(); ++size) {
    sent.office.refuses(sent.device,
                        sent.device.request(sent.device.batch_of(whole.content().substr(0, size), v1::ENCODING_ZSTD)),
                        Errc::unsupported_encoding);
  }
}

TEST_CASE("A frame that is followed by something is refused") {
  Sent sent;
  const v1::Batch whole = sent.device.batch({sent.save(0)});
  sent.office.refuses(sent.device, sent.device.request(sent.device.batch_of(whole.content() + "x", v1::ENCODING_ZSTD)),
                      Errc::unsupported_encoding);
}

TEST_CASE("A list of operations that is cut short is refused") {
  Sent sent;
  const std::string list = list_of({codec::encode_operation(sent.save(0))});
  for (std::size_t size = 1; size < list.size(); ++size) {
    sent.office.refuses(sent.device, sent.device.request(sent.device.batch_of(list.substr(0, size))),
                        Errc::malformed_request);
  }
}

TEST_CASE("A batch without operations is refused") {
  Sent sent;
  sent.office.refuses(sent.device, sent.device.request(sent.device.batch_of("")), Errc::malformed_request);
}

TEST_CASE("A frame that declares more than 2 MiB is refused") {
  Sent sent;
  codec::FrameWriter writer;
  const std::string bomb = writer.compress(std::string(codec::batch_content_bytes_max + 1, '\0'));
  CHECK(bomb.size() < 4096);
  sent.office.refuses(sent.device, sent.device.request(sent.device.batch_of(bomb, v1::ENCODING_ZSTD)),
                      Errc::request_too_large);
  sent.office.refuses(sent.device,
                      sent.device.request(sent.device.batch_of(std::string(codec::batch_content_bytes_max + 1, '\0'))),
                      Errc::request_too_large);
}

TEST_CASE("501 operations in one batch are refused, 500 are not") {
  Sent sent;
  std::vector<core::Operation> operations;
  for (std::size_t i = 0; i < 501; ++i) operations.push_back(sent.save(i));
  sent.office.refuses(sent.device, sent.device.request(sent.device.batch(operations)), Errc::too_many_elements);
  operations.pop_back();
  CHECK(sent.office.push(sent.device, operations).acknowledged_counter() == 502);
}

TEST_CASE("A frame that was made with another dictionary is refused") {
  Sent sent;
  std::string frame = sent.device.batch({sent.save(0)}).content();
  // RFC 8878: magic (4), descriptor (1), then with Single_Segment the dictionary's id.
  const auto descriptor = static_cast<unsigned char>(frame[4]);
  REQUIRE((descriptor & 3) != 0);
  const std::size_t at = (descriptor & 0x20) != 0 ? 5 : 6;
  frame[at] = static_cast<char>(frame[at] ^ 1);
  sent.office.refuses(sent.device, sent.device.request(sent.device.batch_of(frame, v1::ENCODING_ZSTD)),
                      Errc::unsupported_encoding);
}

TEST_CASE("An encoding that nobody knows is refused") {
  Sent sent;
  sent.office.refuses(sent.device, sent.device.request(sent.device.batch_of("x", static_cast<v1::Encoding>(9))),
                      Errc::unsupported_encoding);
}

TEST_CASE("A cursor with any byte altered is refused") {
  Sent sent;
  sent.office.pull(sent.device);
  const v1::SyncRequest good = sent.device.request();
  REQUIRE(good.positions_size() == 1);
  for (std::size_t at = 0; at < good.positions(0).cursor().size(); ++at) {
    v1::SyncRequest request = good;
    std::string& cursor = *request.mutable_positions(0)->mutable_cursor();
    cursor[at] = static_cast<char>(cursor[at] ^ 0x10);
    sent.office.refuses(sent.device, request, Errc::bad_cursor);
  }
}

TEST_CASE("A cursor that is too short, too long or another device's is refused") {
  Sent sent;
  sent.office.pull(sent.device);
  const std::string cursor = sent.device.request().positions(0).cursor();
  TestDevice other = sent.office.add_device();
  v1::SyncRequest request = other.request();
  request.add_positions()->set_cursor(cursor);
  sent.office.refuses(other, request, Errc::bad_cursor);
  request.mutable_positions(0)->set_cursor(cursor.substr(1));
  sent.office.refuses(sent.device, request, Errc::bad_cursor);
  request.mutable_positions(0)->set_cursor(cursor + "x");
  sent.office.refuses(sent.device, request, Errc::bad_cursor);
  request.mutable_positions(0)->set_cursor("");
  sent.office.refuses(sent.device, request, Errc::bad_cursor);
}

TEST_CASE("A good batch beside a bad cursor is not applied, as sync_service.h promises") {
  Sent sent;
  v1::SyncRequest request = sent.device.request(sent.device.batch({sent.save(0)}));
  request.add_positions()->set_cursor("nonsense");
  sent.office.refuses(sent.device, request, Errc::bad_cursor);
}

TEST_CASE("What is put into quarantine is what came, also where the batch is a few bytes") {
  TestDevice device;
  server::DeviceRow row;
  row.id = device.id;
  row.public_key = device.public_key;
  codec::FrameReader frames;
  auto checked = server::check_batch(device.batch_of(list_of({"no op"})), row, frames);
  REQUIRE(checked);
  const server::CheckedBatch moved = std::move(*checked);
  *checked = server::CheckedBatch{};  // nothing of it stays behind
  REQUIRE(moved.operation_bytes.size() == 1);
  CHECK(moved.operation_bytes[0] == "no op");
}
