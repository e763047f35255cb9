// Limits of attachments, at each and one above.
#include "attachment_office.h"
#include "service/day.h"

using namespace fieldsync;
using namespace fieldsync::testing;

namespace {

v1::SyncRequest offering(const TestDevice& device, int count, std::size_t hash_bytes = 32) {
  v1::SyncRequest request = device.request();
  for (int i = 0; i < count; ++i) {
    v1::AttachmentOffer& offer = *request.add_offers();
    offer.set_sha256(std::string(hash_bytes, static_cast<char>(i)));
    offer.set_size(1);
  }
  return request;
}

void set_taken_today(AttachmentOffice& office, std::uint64_t bytes) {
  REQUIRE(office.store->write([&](server::WriteTransaction& transaction) -> Result<void> {
    const auto key = transaction.device_by_id(office.phone.id)->key;
    transaction.add_bytes_taken(key, server::day_of(office.now),
                                bytes - transaction.bytes_taken(key, server::day_of(office.now)));
    return {};
  }));
}

}  // namespace

TEST_CASE("A request offers 100 attachments, and not 101") {
  AttachmentOffice office;
  CHECK(office.sync(office.phone, offering(office.phone, 100)));
  office.refuses(office.phone, offering(office.phone, 101), Errc::too_many_elements);
}

TEST_CASE("An attachment is offered by 32 bytes") {
  AttachmentOffice office;
  for (const std::size_t bytes : {0U, 31U, 33U})
    office.refuses(office.phone, offering(office.phone, 1, bytes), Errc::malformed_request);
}

TEST_CASE("Nothing is applied of a batch beside offers that are refused") {
  AttachmentOffice office;
  v1::SyncRequest request = offering(office.phone, 101);
  *request.mutable_batch() =
      office.phone.batch({office.phone.save(office.scope, new_record(), {writes_text("Камера 4")})});
  office.refuses(office.phone, request, Errc::too_many_elements);
}

TEST_CASE("A device sends 512 MiB on a day, and not a byte more until the next") {
  AttachmentOffice office;
  const std::string photo = some_bytes(100);
  office.name(photo);
  SECTION("all of it fits") {
    set_taken_today(office, server::upload_bytes_per_day_max - 100);
    CHECK(office.put(office.phone, file_of(photo).id, 0, photo)->complete());
    CHECK(office.bytes_taken_today(office.phone) == server::upload_bytes_per_day_max);
  }
  SECTION("all but a byte") {
    set_taken_today(office, server::upload_bytes_per_day_max - 99);
    CHECK(outcome_of(office.put(office.phone, file_of(photo).id, 0, photo)) == "upload_limit");
    CHECK(office.bytes_taken_today(office.phone) == server::upload_bytes_per_day_max);
    CHECK(told(*office.offer(office.phone, file_of(photo))) == Told{99, false});
    CHECK(outcome_of(office.put(office.phone, file_of(photo).id, 99, photo.substr(99))) == "upload_limit");
    CHECK(outcome_of(office.put(office.phone, file_of(photo).id, 0, photo)) == "upload_limit");
    // Another device of the same person has its own day.
    const TestDevice tablet = office.add_device();
    CHECK(office.put(tablet, file_of(photo).id, 0, photo.substr(0, 10)));
    office.now.ms = (server::day_of(office.now) + 1) * server::ms_per_day - 1;
    CHECK(outcome_of(office.put(office.phone, file_of(photo).id, 99, photo.substr(99))) == "upload_limit");
    office.now.ms += 1;
    CHECK(office.put(office.phone, file_of(photo).id, 99, photo.substr(99))->complete());
    CHECK(office.bytes_taken_today(office.phone) == 1);
  }
}

TEST_CASE("Two uploads at once share what is left of the day") {
  AttachmentOffice office;
  const std::string one = some_bytes(100);
  const std::string two = some_bytes(100, 2);
  office.name(one);
  office.name(two);
  set_taken_today(office, server::upload_bytes_per_day_max - 150);
  auto first = office.attachments->begin_upload(office.phone.id, file_of(one).id, 0);
  auto second = office.attachments->begin_upload(office.phone.id, file_of(two).id, 0);
  REQUIRE((first && second));
  (*first)->take(one);
  (*second)->take(two);
  CHECK(outcome_of((*first)->finish()) == "done");
  CHECK(outcome_of((*second)->finish()) == "upload_limit");
  CHECK(office.bytes_taken_today(office.phone) <= server::upload_bytes_per_day_max);
}

TEST_CASE("An attachment of 64 MiB is taken") {
  AttachmentOffice office;
  const std::string photo = some_bytes(core::attachment_bytes_max);
  const core::AttachmentFile file = file_of(photo);
  office.name(photo);
  for (std::uint32_t offset = 0; offset < photo.size(); offset += 1 << 20)
    REQUIRE(office.put(office.phone, file.id, offset, std::string_view(photo).substr(offset, 1 << 20)));
  CHECK(told(*office.offer(office.phone, file)) == Told{core::attachment_bytes_max, true});
}
