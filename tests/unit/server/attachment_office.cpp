#include "attachment_office.h"
#include "service/day.h"

#include <sodium.h>

namespace fieldsync::testing {

core::AttachmentFile file_of(const std::string& bytes) {
  core::AttachmentFile file;
  crypto_hash_sha256(file.id.sha256.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  file.size = static_cast<std::uint32_t>(bytes.size());
  return file;
}

core::Attachment photo_of(const std::string& bytes) {
  core::Attachment photo;
  photo.file = file_of(bytes);
  photo.kind = core::AttachmentKind::photo;
  return photo;
}

std::string some_bytes(std::size_t size, int seed) {
  std::string bytes(size, '\0');
  std::uint32_t state = 2463534242U + static_cast<std::uint32_t>(seed);
  for (char& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

void AttachmentOffice::name(TestDevice& device, const core::ScopeId& where, const core::Attachment& attachment) {
  const auto reply =
      push(device, {device.save(where, new_record(), {{{{}, office_fields::photo}, core::Value{attachment}, {}}})});
  REQUIRE(reply.results_size() == 0);
}

Result<v1::AttachmentStatus> AttachmentOffice::put(const TestDevice& device, const core::AttachmentId& id,
                                                   std::uint32_t offset, std::string_view body) {
  auto upload = attachments->begin_upload(device.id, id, offset);
  if (!upload) return upload.error();
  (*upload)->take(body);
  return (*upload)->finish();
}

void AttachmentOffice::send(const TestDevice& device, const std::string& bytes) {
  const auto sent = put(device, file_of(bytes).id, 0, bytes);
  REQUIRE(sent);
  REQUIRE(sent->complete());
}

std::optional<v1::AttachmentStatus> AttachmentOffice::offer(const TestDevice& device,
                                                            const core::AttachmentFile& file) {
  v1::SyncRequest request = device.request();
  v1::AttachmentOffer& offer = *request.add_offers();
  offer.set_sha256(file.id.view().data(), file.id.view().size());
  offer.set_size(file.size);
  const auto reply = sync(device, request);
  REQUIRE(reply);
  REQUIRE(reply->attachments_size() <= 1);
  if (reply->attachments_size() == 0) return std::nullopt;
  CHECK(reply->attachments(0).sha256() == file.id.view());
  return reply->attachments(0);
}

Result<std::string> AttachmentOffice::get(const TestDevice& device, const core::AttachmentId& id) {
  const auto size = attachments->readable_size(device.id, id);
  if (!size) return size.error();
  return attachments->read(device.id, id, 0, *size);
}

std::uint64_t AttachmentOffice::bytes_taken_today(const TestDevice& device) {
  std::uint64_t bytes = 0;
  REQUIRE(store->read([&](server::ReadTransaction& transaction) -> Result<void> {
    bytes = transaction.bytes_taken(transaction.device_by_id(device.id)->key, server::day_of(now));
    return {};
  }));
  return bytes;
}

}  // namespace fieldsync::testing
