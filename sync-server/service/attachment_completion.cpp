#include "service/attachment_completion.h"

#include <algorithm>

#include "service/attachment_hash.h"

namespace fieldsync::server {

// As the store has it.
struct AttachmentCompletion::Look {
  std::vector<NamedAttachment> named;
  std::uint32_t durable = 0;

  [[nodiscard]] bool may_be_sent(std::uint32_t size) const {
    return std::any_of(named.begin(), named.end(),
                       [&](const NamedAttachment& each) { return each.size == size && may_send(each); });
  }
  [[nodiscard]] bool is_awaited(std::uint32_t size) const {
    return std::any_of(named.begin(), named.end(), [&](const NamedAttachment& each) {
      return each.size == size && may_send(each) && !each.is_complete();
    });
  }
  [[nodiscard]] std::uint64_t version_of(std::uint32_t size) const {
    std::uint64_t version = 0;
    for (const NamedAttachment& each : named) {
      if (each.size == size) version = std::max(version, each.version);
    }
    return version;
  }
  [[nodiscard]] std::uint32_t size_max() const {
    std::uint32_t size = 0;
    for (const NamedAttachment& each : named) {
      if (may_send(each)) size = std::max(size, each.size);
    }
    return size;
  }
};

struct AttachmentCompletion::Arrival {
  enum class What : std::uint8_t { partly, published, damaged };
  What what = What::partly;
  std::uint32_t durable = 0;
};

Result<AttachmentStanding> AttachmentCompletion::settle(const UploadName& upload, const AttachmentQuestion& question) {
  const auto look = this->look(upload, question);
  if (!look) return look.error();
  const std::uint32_t size_max = look->size_max();
  const auto complete = complete_size(upload.attachment, *look, question);
  if (!complete) return complete.error();
  if (*complete) {
    // Who can read it in one scope may bring it into another without sending it again.
    const bool is_entered = look->durable == 0 && !look->is_awaited(**complete);
    std::uint64_t version = look->version_of(**complete);
    if (!is_entered && look->may_be_sent(**complete)) {
      stop_sending(upload);
      const auto entered = enter_complete(upload, **complete);
      if (!entered) return entered.error();
      version = *entered;
      if (auto removed = remove(upload); !removed) return removed.error();
    }
    return AttachmentStanding{**complete, size_max, true, version};
  }
  const auto arrival = publish_what_arrived(upload, *look, question.is_all_sent);
  if (!arrival) return arrival.error();
  if (arrival->what == Arrival::What::published) {
    const auto entered = enter_complete(upload, arrival->durable);
    if (!entered) return entered.error();
    const bool is_asked_for = !question.size || *question.size == arrival->durable;
    return AttachmentStanding{arrival->durable, size_max, is_asked_for, is_asked_for ? *entered : 0};
  }
  if (arrival->durable != look->durable) {
    if (auto entered = enter_durable(upload, look->durable, arrival->durable); !entered) return entered.error();
  }
  if (arrival->what == Arrival::What::partly) return AttachmentStanding{arrival->durable, size_max};
  // After the row: while it said that all bytes had come, an upload that is gone would pass for published.
  const auto removed = remove(upload);
  return removed ? Error{Errc::attachment_damaged, {}} : removed.error();
}

Result<void> AttachmentCompletion::forget(const UploadName& upload) {
  stop_sending(upload);
  return remove(upload);
}

Result<bool> AttachmentCompletion::is_published(const core::AttachmentFile& file) {
  const auto size = files_.published_size(file.id);
  if (!size) return size.error();
  return *size && **size == file.size;
}

Result<AttachmentCompletion::Look> AttachmentCompletion::look(const UploadName& upload,
                                                              const AttachmentQuestion& question) {
  Look look;
  const auto looked = store_.read([&](ReadTransaction& transaction) -> Result<void> {
    const auto device = enrolled_device(transaction, upload.device, access_);
    if (!device) return device.error();
    look.named = attachments_known_to(transaction, *device, upload.attachment);
    look.durable = transaction.upload_bytes(device->key, upload.attachment);
    const bool is_known = std::any_of(look.named.begin(), look.named.end(), [&](const NamedAttachment& each) {
      return !question.size || each.size == *question.size;
    });
    return is_known ? Result<void>() : Error{Errc::not_found, {}};
  });
  return looked ? Result(std::move(look)) : looked.error();
}

Result<std::optional<std::uint32_t>> AttachmentCompletion::complete_size(const core::AttachmentId& id, const Look& look,
                                                                         const AttachmentQuestion& question) {
  for (const NamedAttachment& each : look.named) {
    if (!each.is_complete() || (question.size && each.size != *question.size)) continue;
    // Of a scope that its author has left, it is no ground to bring it into another.
    if (!may_read(each) && look.is_awaited(each.size)) continue;
    const auto published = is_published({id, each.size});
    if (!published) return published.error();
    if (*published) return std::optional(each.size);
  }
  return std::optional<std::uint32_t>();
}

Result<AttachmentCompletion::Arrival> AttachmentCompletion::publish_what_arrived(const UploadName& upload,
                                                                                 const Look& look, bool is_all_sent) {
  using What = Arrival::What;
  if (look.durable == 0) return Arrival{};
  const auto claim = claims_.of(upload);
  const std::lock_guard lock(claim->mutex);
  const auto size = files_.upload_size(upload);
  if (!size) return size.error();
  if (!*size && look.may_be_sent(look.durable)) {
    const auto published = is_published({upload.attachment, look.durable});
    if (!published) return published.error();
    if (!*published) return Arrival{};
    const auto again = files_.publish(upload);
    return again ? Result(Arrival{What::published, look.durable}) : again.error();
  }
  const auto durable = static_cast<std::uint32_t>(std::min<std::uint64_t>(look.durable, size->value_or(0)));
  const std::uint32_t size_max = look.size_max();
  const bool may_be_whole = look.may_be_sent(durable) || durable > size_max;
  if (durable == 0 || size_max == 0 || !may_be_whole) return Arrival{What::partly, durable};
  const auto hash = hash_attachment(
      durable, [&](std::uint64_t offset, std::size_t bytes) { return files_.read_upload(upload, offset, bytes); });
  if (!hash) return hash.error();
  const bool is_whole = *hash == upload.attachment && durable <= size_max;
  if (!is_whole && !is_all_sent && durable < size_max) return Arrival{What::partly, durable};
  claim->owner = 0;
  if (!is_whole) return Arrival{What::damaged, 0};
  // Cut off what was written, but not synced, when the server was killed.
  if (**size > durable) {
    auto cut = files_.write_upload(upload, durable, {});
    if (cut) cut = files_.sync_upload(upload);
    if (!cut) return cut.error();
  }
  const auto published = files_.publish(upload);
  return published ? Result(Arrival{What::published, durable}) : published.error();
}

Result<std::uint64_t> AttachmentCompletion::enter_complete(const UploadName& upload, std::uint32_t size) {
  std::uint64_t version = 0;
  const auto entered = store_.write([&](WriteTransaction& transaction) -> Result<void> {
    const auto device = enrolled_device(transaction, upload.device, access_);
    if (!device) return device.error();
    for (const NamedAttachment& each : attachments_known_to(transaction, *device, upload.attachment)) {
      if (each.size != size || !may_send(each)) continue;
      version = std::max(version, transaction.complete_attachment(each.scope, {upload.attachment, size}));
      transaction.prove_attachment(device->person.id, each.scope, {upload.attachment, size});
    }
    if (version == 0) return Error{Errc::not_found, {}};
    transaction.set_upload_bytes(device->key, upload.attachment, 0);
    return {};
  });
  return entered ? Result(version) : entered.error();
}

Result<void> AttachmentCompletion::enter_durable(const UploadName& upload, std::uint32_t before,
                                                 std::uint32_t durable) {
  return store_.write([&](WriteTransaction& transaction) -> Result<void> {
    const auto device = enrolled_device(transaction, upload.device, access_);
    if (!device) return device.error();
    // Another connection may have gone on.
    if (transaction.upload_bytes(device->key, upload.attachment) == before)
      transaction.set_upload_bytes(device->key, upload.attachment, durable);
    return {};
  });
}

Result<void> AttachmentCompletion::remove(const UploadName& upload) {
  const auto claim = claims_.of(upload);
  const std::lock_guard lock(claim->mutex);
  // Another connection may have begun anew.
  if (claim->owner != 0) return {};
  return files_.remove_upload(upload);
}

void AttachmentCompletion::stop_sending(const UploadName& upload) {
  const auto claim = claims_.of(upload);
  const std::lock_guard lock(claim->mutex);
  claim->owner = 0;
}

}  // namespace fieldsync::server
