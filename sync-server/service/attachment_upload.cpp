#include "service/attachment_upload.h"

#include <algorithm>

#include "service/day.h"

namespace fieldsync::server {
namespace {

bool may_be_sent(ReadTransaction& transaction, const DeviceRow& device, const core::AttachmentId& id) {
  const auto named = attachments_known_to(transaction, device, id);
  return std::any_of(named.begin(), named.end(), may_send);
}

bool is_for_want_of_a_right(const Error& error) {
  return error.code == Errc::unknown_device || error.code == Errc::device_revoked || error.code == Errc::not_found;
}

std::uint64_t left_on(ReadTransaction& transaction, const DeviceRow& device, std::int64_t day) {
  return upload_bytes_per_day_max - std::min(upload_bytes_per_day_max, transaction.bytes_taken(device.key, day));
}

}  // namespace

v1::AttachmentStatus status_of(const core::AttachmentId& id, const AttachmentStanding& standing) {
  v1::AttachmentStatus status;
  status.set_sha256(id.view().data(), id.view().size());
  status.set_durable_offset(standing.durable);
  status.set_complete(standing.complete);
  status.set_version(standing.version);
  return status;
}

AttachmentUpload::AttachmentUpload(Store& store, AttachmentFiles& files, UploadClaims& claims, Clock clock,
                                   const UploadName& name, Access access)
    : store_(store),
      files_(files),
      clock_(std::move(clock)),
      name_(name),
      access_(access),
      completion_(store, files, claims, access),
      claim_(claims.of(name)),
      owner_(claims.new_owner()),
      last_durable_(clock_()) {}

Result<std::unique_ptr<AttachmentUpload>> AttachmentUpload::begin(Store& store, AttachmentFiles& files,
                                                                  UploadClaims& claims, Clock clock,
                                                                  const UploadName& name, std::uint32_t offset,
                                                                  Access access) {
  std::unique_ptr<AttachmentUpload> upload(new AttachmentUpload(store, files, claims, std::move(clock), name, access));
  auto started = upload->start(offset);
  return started ? Result(std::move(upload)) : started.error();
}

Result<void> AttachmentUpload::start(std::uint32_t offset) {
  const auto standing = completion_.settle(name_);
  if (!standing) return standing.error();
  if (standing->size_max == 0) return Error{Errc::not_found, {}};
  size_max_ = standing->size_max;
  is_taken_ = !standing->complete && offset <= standing->durable;
  if (!is_taken_) return {};
  {
    const std::lock_guard lock(claim_->mutex);
    claim_->owner = owner_;
  }
  // To write, because what a reader sees may be old.
  return store_.write([&](WriteTransaction& transaction) -> Result<void> {
    const auto device = enrolled_device(transaction, name_.device, access_);
    if (!device) return device.error();
    if (!may_be_sent(transaction, *device, name_.attachment)) return Error{Errc::not_found, {}};
    written_ = durable_ = transaction.upload_bytes(device->key, name_.attachment);
    // An earlier connection of the device may have brought more meanwhile: that is not taken twice.
    is_taken_ = offset <= durable_;
    known_bytes_ = durable_ - std::min(offset, durable_);
    left_today_ = left_on(transaction, *device, day_of(clock_()));
    return left_today_ > 0 ? Result<void>() : Error{Errc::upload_limit, {}};
  });
}

void AttachmentUpload::take(std::string_view piece) {
  if (!piece.empty()) is_empty_ = false;
  if (!goes_on()) return;
  const std::size_t known = std::min<std::size_t>(known_bytes_, piece.size());
  known_bytes_ -= static_cast<std::uint32_t>(known);
  piece.remove_prefix(known);
  const std::uint64_t room = size_max_ - written_;
  const std::uint64_t allowed = left_today_ - (written_ - durable_);
  const std::string_view kept = piece.substr(0, std::min(room, allowed));
  if (!kept.empty()) write(kept);
  const bool is_too_much = kept.size() < piece.size();
  if (goes_on() && (is_too_much || is_due())) make_durable();
  if (!goes_on() || !is_too_much) return;
  refusal_ = room < piece.size() ? Error{Errc::malformed_request, "More bytes were sent than the attachment has."}
                                 : Error{Errc::upload_limit, {}};
}

Result<v1::AttachmentStatus> AttachmentUpload::finish() {
  const bool is_all_sent = goes_on() && is_empty_;
  if (goes_on()) make_durable();
  if (refusal_) return *refusal_;
  const auto standing = completion_.settle(name_, {std::nullopt, is_all_sent});
  return standing ? Result(status_of(name_.attachment, *standing)) : standing.error();
}

Result<void> AttachmentUpload::abandon() {
  if (goes_on()) make_durable();
  return refusal_ ? Result<void>(*refusal_) : Result<void>();
}

bool AttachmentUpload::is_due() const {
  const core::Instant now = clock_();
  // A clock that was set back must not put it off.
  const bool is_late = now < last_durable_ || now - last_durable_ >= unsynced_time_max;
  return is_late || written_ - durable_ >= unsynced_bytes_max;
}

template <typename Body>
void AttachmentUpload::with_file(Body body) {
  const std::lock_guard lock(claim_->mutex);
  if (claim_->owner != owner_) {
    is_taken_ = false;
    return;
  }
  const Result<void> done = body();
  if (!done) refusal_ = done.error();
}

void AttachmentUpload::write(std::string_view bytes) {
  with_file([&] { return files_.write_upload(name_, written_, bytes); });
  if (goes_on()) written_ += static_cast<std::uint32_t>(bytes.size());
}

void AttachmentUpload::make_durable() {
  last_durable_ = clock_();
  if (written_ == durable_) return;
  with_file([&] { return files_.sync_upload(name_); });
  if (!goes_on()) return;
  const auto entered = store_.write([&](WriteTransaction& transaction) { return enter(transaction); });
  if (!entered) refusal_ = entered.error();
  if (goes_on()) durable_ = written_;
  // With the right to bring it goes what came of it.
  if (entered || !is_for_want_of_a_right(entered.error())) return;
  if (auto forgotten = completion_.forget(name_); !forgotten) refusal_ = forgotten.error();
}

Result<void> AttachmentUpload::enter(WriteTransaction& transaction) {
  const auto device = enrolled_device(transaction, name_.device, access_);
  if (!device) return device.error();
  if (!may_be_sent(transaction, *device, name_.attachment)) return Error{Errc::not_found, {}};
  {
    // Who has taken over since the sync cuts the file where the row says.
    const std::lock_guard lock(claim_->mutex);
    is_taken_ = claim_->owner == owner_;
  }
  is_taken_ = is_taken_ && transaction.upload_bytes(device->key, name_.attachment) == durable_;
  if (!is_taken_) return {};
  const std::int64_t day = day_of(clock_());
  const std::uint64_t grown = written_ - durable_;
  left_today_ = left_on(transaction, *device, day);
  // Another upload of the device may have used it up meanwhile.
  if (grown > left_today_) return Error{Errc::upload_limit, {}};
  left_today_ -= grown;
  transaction.set_upload_bytes(device->key, name_.attachment, written_);
  transaction.add_bytes_taken(device->key, day, grown);
  return {};
}

}  // namespace fieldsync::server
