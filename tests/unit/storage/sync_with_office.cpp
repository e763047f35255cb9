#include "sync_with_office.h"

#include "codec/record_codec.h"

namespace fieldsync::testing {
namespace {

constexpr int exchanges_max = 200;

Result<v1::SyncReply> exchange(TestOffice& office, StoredDevice& device, std::size_t wire_bytes_max,
                               std::uint32_t reply_budget_bytes = 0) {
  v1::SyncRequest request = device.request(device.next_batch(wire_bytes_max));
  request.set_reply_budget_bytes(reply_budget_bytes);
  return office.service->sync(device.id, request, server::BodyStyle::frame);
}

}  // namespace

std::unique_ptr<StoredDevice> add_stored_device(TestOffice& office) {
  return add_stored_device(office, office.monitor);
}

std::unique_ptr<StoredDevice> add_stored_device(TestOffice& office, const core::PersonId& person) {
  auto device = std::make_unique<StoredDevice>(office.add_device(person), person);
  sync(office, *device);
  return device;
}

void send_into_the_void(TestOffice& office, StoredDevice& device, std::size_t wire_bytes_max) {
  REQUIRE(exchange(office, device, wire_bytes_max));
}

void sync(TestOffice& office, StoredDevice& device, std::size_t wire_bytes_max, std::uint32_t reply_budget_bytes) {
  for (int i = 0; i < exchanges_max; ++i) {
    const auto reply = exchange(office, device, wire_bytes_max, reply_budget_bytes);
    INFO((reply ? "" : reply.error().message()));
    REQUIRE(reply);
    const auto taken = device.take(*reply);
    INFO((taken ? "" : taken.error().message()));
    REQUIRE(taken);
    if (!reply->more() && !taken->begins_anew && device.waiting() == 0) return;
  }
  FAIL("the sync does not end");
}

void check_same(TestOffice& office, StoredDevice& device) {
  std::map<std::string, std::string> at_office;
  codec::FrameReader frames;
  REQUIRE(office.store->read([&](server::ReadTransaction& transaction) -> Result<void> {
    const server::ReadersView all{transaction.scope(office.scope)->key, std::nullopt};
    transaction.changes_after(all, 0, [&](const server::VisibleRecord& visible) {
      const server::RecordRow& row = visible.row;
      at_office[row.id.hex()] =
          core::to_hex(row.head) + " " + core::to_hex(*frames.decompress(row.body_frame, 1'000'000));
      return true;
    });
    return {};
  }));
  CHECK(device.waiting() == 0);
  // In brackets: Catch would print every record.
  CHECK((device.shown_records() == at_office));
  TestDevice known;
  known.id = device.id;
  CHECK(device.digest(office.scope) == office.standing(known).digest);
}

}  // namespace fieldsync::testing
