#include "api/attachment_transfer.h"

#include <sodium.h>

#include <algorithm>

#include "api/problem.h"
#include "codec/attachment_hash.h"

namespace fieldsync::api {
namespace {

using storage::AttachmentRow;
using storage::AttachmentState;
using storage::TransferKind;

constexpr std::size_t offers_max = 100;
// One request carries so many bytes. Text that is saved meanwhile goes before the next one.
constexpr std::size_t chunk_bytes_start = 256 * 1024;
constexpr std::size_t chunk_bytes_min = 64 * 1024;
constexpr std::size_t chunk_bytes_max = 1024 * 1024;
constexpr std::int64_t chunk_aim_ms = 30'000;
constexpr std::uint64_t chunk_step = 4;

// Of one look at the bytes that are here.
constexpr std::size_t hashed_step_bytes = 1024 * 1024;

std::string path_of(const AttachmentRow& attachment) { return "/v1/attachments/" + attachment.file.id.hex(); }

}  // namespace

AttachmentTransfer::AttachmentTransfer(LocalStore& store, const AttachmentLimits& limits)
    : store_(store), limits_(limits), chunk_bytes_(chunk_bytes_start) {}

bool AttachmentTransfer::allows(TransferKind kind) const {
  switch (kind) {
    case TransferKind::preview: return limits_.previews;
    case TransferKind::audio: return limits_.audio;
    case TransferKind::photo:
    case TransferKind::document: return limits_.photos;
  }
  return false;
}

std::vector<AttachmentRow> AttachmentTransfer::may_travel(AttachmentState state) {
  std::vector<AttachmentRow> rows = store_.attachments.in_state(state);
  std::erase_if(rows, [&](const AttachmentRow& row) {
    const bool stays = handing_in_ && (state == AttachmentState::wanted || !row.named_here);
    return stays || !allows(row.kind) || skipped_.contains(row.file.id);
  });
  return rows;
}

void AttachmentTransfer::set_handing_in(bool handing_in) {
  handing_in_ = handing_in;
  told_.clear();
}

bool AttachmentTransfer::needs_exchange() {
  const std::lock_guard lock(store_.mutex);
  if (uploads_end_) return false;
  const auto rows = may_travel(AttachmentState::waiting);
  return std::any_of(rows.begin(), rows.end(), [&](const AttachmentRow& row) { return !is_settled(row.file.id); });
}

void AttachmentTransfer::put_offers(v1::SyncRequest& request, bool all_saves_are_there) {
  offered_.clear();
  if (uploads_end_ || !all_saves_are_there) return;
  for (const AttachmentRow& row : may_travel(AttachmentState::waiting)) {
    if (is_settled(row.file.id)) continue;
    if (offered_.size() == offers_max) break;
    offered_.insert(row.file.id);
    v1::AttachmentOffer& offer = *request.add_offers();
    offer.set_sha256(std::string(row.file.id.view()));
    offer.set_size(row.file.size);
  }
}

void AttachmentTransfer::take_statuses(const v1::SyncReply& reply) {
  if (offered_.empty()) return;
  const std::lock_guard lock(store_.mutex);
  storage::Transaction transaction(store_.vault);
  for (const v1::AttachmentStatus& status : reply.attachments()) take_status(status);
  transaction.commit();
  for (const v1::AttachmentStatus& status : reply.attachments()) {
    if (const auto id = Id::from_bytes(status.sha256())) offered_.erase(*id);
  }
  // Of the others no operation speaks at the office; while it has more to tell, not yet.
  if (!reply.more()) skipped_.merge(offered_);
  offered_.clear();
}

void AttachmentTransfer::take_status(const v1::AttachmentStatus& status) {
  const auto id = Id::from_bytes(status.sha256());
  auto attachment = id ? store_.attachments.find(*id) : std::nullopt;
  if (!attachment || attachment->state != AttachmentState::waiting) return;
  if (status.complete()) {
    told_.erase(*id);
    progress_ = true;
    if (status.version() > store_.identity.attachments_version())
      store_.identity.set_attachments_version(status.version());
    // The office did not speak of a save that it has not got: it is asked again after that.
    const bool is_named_anew =
        !store_.outbox.of_record(attachment->record, store_.identity.acknowledged_counter()).empty();
    if (!is_named_anew) store_.attachments.set_held(*attachment);
    return;
  }
  const std::uint32_t offset = std::min(status.durable_offset(), attachment->file.size);
  told_[*id] = offset;
  std::uint32_t& furthest = furthest_[*id];
  if (offset > furthest) progress_ = true;
  furthest = std::max(furthest, offset);
}

std::optional<engine::HttpRequest> AttachmentTransfer::next() {
  for (const AttachmentRow& attachment : arrived_whole()) end_whole_download(attachment);
  const std::lock_guard lock(store_.mutex);
  if (bytes_up_ + bytes_down_ >= limits_.bytes_max) return std::nullopt;
  const auto uploads = uploads_end_ ? std::vector<AttachmentRow>() : may_travel(AttachmentState::waiting);
  const auto downloads = may_travel(AttachmentState::wanted);
  const auto first = std::find_if(uploads.begin(), uploads.end(),
                                  [&](const AttachmentRow& row) { return told_.contains(row.file.id); });
  if (first != uploads.end() && (downloads.empty() || first->kind <= downloads.front().kind)) return upload(*first);
  if (!downloads.empty()) return download(downloads.front());
  return std::nullopt;
}

std::vector<AttachmentRow> AttachmentTransfer::arrived_whole() {
  const std::lock_guard lock(store_.mutex);
  std::vector<AttachmentRow> rows = may_travel(AttachmentState::wanted);
  std::erase_if(rows, [](const AttachmentRow& row) { return row.bytes_here < row.file.size; });
  return rows;
}

std::uint64_t AttachmentTransfer::next_bytes(std::uint64_t left) const {
  // Each request leaves the link idle for a round trip: none for a small rest.
  const bool is_last = left <= std::min<std::uint64_t>(chunk_bytes_ + chunk_bytes_ / 2, chunk_bytes_max);
  return is_last ? left : chunk_bytes_;
}

engine::HttpRequest AttachmentTransfer::upload(const AttachmentRow& attachment) {
  const std::uint32_t offset = told_.at(attachment.file.id);
  const std::uint64_t allowed = limits_.bytes_max - bytes_up_ - bytes_down_;
  engine::HttpRequest request;
  request.method = "PUT";
  request.path = path_of(attachment) + "?offset=" + std::to_string(offset) + (handing_in_ ? "&hand_in" : "");
  request.content_type = "application/octet-stream";
  request.body =
      store_.attachments.read(attachment, offset, std::min(next_bytes(attachment.file.size - offset), allowed));
  request.is_long = true;
  current_ = Current{attachment, true, offset, request.body.size(), 0};
  return request;
}

engine::HttpRequest AttachmentTransfer::download(const AttachmentRow& attachment) {
  const std::uint64_t allowed = limits_.bytes_max - bytes_up_ - bytes_down_;
  const std::uint64_t bytes = std::min(next_bytes(attachment.file.size - attachment.bytes_here), allowed);
  engine::HttpRequest request;
  request.method = "GET";
  request.path = path_of(attachment);
  request.range =
      "bytes=" + std::to_string(attachment.bytes_here) + "-" + std::to_string(attachment.bytes_here + bytes - 1);
  current_ = Current{attachment, false, attachment.bytes_here, bytes, 0};
  return request;
}

void AttachmentTransfer::on_underway(const engine::Underway& underway) {
  if (!current_) return;
  if (current_->upload) {
    bytes_up_ += underway.sent - current_->moved;
    current_->moved = underway.sent;
  } else {
    keep(*current_, underway);
  }
}

void AttachmentTransfer::keep(Current& current, const engine::Underway& underway) {
  if (underway.received.empty()) return;
  bytes_down_ += underway.received.size();
  const std::uint64_t room = current.bytes - current.moved;
  // A server that does not honour the range sends other bytes than were asked for.
  if (underway.status != 206 || underway.received.size() > room) return;
  const std::lock_guard lock(store_.mutex);
  auto grown = store_.attachments.read_again(current.attachment);
  // Its scope may have been erased meanwhile.
  if (!grown || grown->bytes_here != current.attachment.bytes_here) return;
  storage::Transaction transaction(store_.vault);
  store_.attachments.append(*grown, underway.received);
  transaction.commit();
  current.attachment = *grown;
  current.moved += underway.received.size();
  progress_ = true;
}

Result<void> AttachmentTransfer::on_answer(const Result<engine::HttpReply>& answer, core::Milliseconds took) {
  // Whatever fails from here on: it is under way no more, and only the office knows how far an
  // upload came.
  Current ended = *std::exchange(current_, std::nullopt);
  if (ended.upload) told_.erase(ended.attachment.file.id);
  if (!answer) {
    if (ended.upload) told_.clear();
    return answer.error();
  }
  if (!ended.upload) keep(ended, {0, answer->status, answer->body});
  if (answer->status == 200 || answer->status == 206) adapt(ended.upload ? ended.bytes : ended.moved, took);
  auto done = ended.upload ? end_upload(ended, answer) : end_download(ended, answer);
  if (!done && ended.upload) told_.clear();
  return done;
}

Result<void> AttachmentTransfer::end_upload(const Current& ended, const Result<engine::HttpReply>& answer) {
  const Id& id = ended.attachment.file.id;
  bytes_up_ += ended.bytes - ended.moved;
  if (answer->status == 200) {
    v1::AttachmentStatus status;
    if (!status.ParseFromString(answer->body) || status.sha256() != id.view())
      return Error{Errc::incompatible_server, {}};
    const bool moved = status.complete() || status.durable_offset() > ended.offset;
    const std::lock_guard lock(store_.mutex);
    storage::Transaction transaction(store_.vault);
    take_status(status);
    transaction.commit();
    if (moved) stood_still_.erase(id);
    // An earlier request, which came late, may have taken its place. Once it is chance.
    if (moved || stood_still_.insert(id).second) return {};
    return Error{Errc::incompatible_server,
                 "The server took bytes of an attachment and kept nothing of them. Everything stays saved here."};
  }
  const Error refusal = error_of(*answer);
  switch (refusal.code) {
    case Errc::not_found:
      // Nothing that the office applied speaks of it any more.
      skipped_.insert(id);
      return {};
    case Errc::attachment_damaged: begin_anew(ended.attachment); return {};
    case Errc::upload_limit:
      uploads_end_ = true;
      problem_ = refusal;
      return {};
    default: return refusal;
  }
}

Result<void> AttachmentTransfer::end_download(const Current& ended, const Result<engine::HttpReply>& answer) {
  const Id& id = ended.attachment.file.id;
  if (answer->status == 206) {
    if (!is_wanted(ended.attachment)) return {};
    if (ended.moved != ended.bytes) return Error{Errc::incompatible_server, {}};
    if (ended.attachment.bytes_here == ended.attachment.file.size) end_whole_download(ended.attachment);
    return {};
  }
  const Error refusal = error_of(*answer);
  if (refusal.code != Errc::not_found) return refusal;
  // Its author has not sent it yet.
  skipped_.insert(id);
  return {};
}

bool AttachmentTransfer::is_wanted(const AttachmentRow& attachment) {
  const std::lock_guard lock(store_.mutex);
  return store_.attachments.read_again(attachment).has_value();
}

void AttachmentTransfer::end_whole_download(const AttachmentRow& attachment) {
  if (!is_whole(attachment)) {
    begin_anew(attachment);
    return;
  }
  const std::lock_guard lock(store_.mutex);
  auto whole = store_.attachments.read_again(attachment);
  if (!whole) return;
  storage::Transaction transaction(store_.vault);
  store_.attachments.set_fetched(*whole);
  transaction.commit();
}

void AttachmentTransfer::begin_anew(const AttachmentRow& attachment) {
  const Id& id = attachment.file.id;
  const bool again = !begun_anew_.insert(id).second;
  if (attachment.state == AttachmentState::waiting) {
    if (!is_whole(attachment)) {
      throw sqlite::SqliteError(Errc::storage_corrupt, "the bytes of an attachment are not what was added");
    }
    told_[id] = 0;
  } else {
    const std::lock_guard lock(store_.mutex);
    storage::Transaction transaction(store_.vault);
    if (auto known = store_.attachments.read_again(attachment)) store_.attachments.fetch_anew(*known);
    transaction.commit();
  }
  if (!again) return;
  skipped_.insert(id);
  problem_ = Error{Errc::attachment_damaged, {}};
}

bool AttachmentTransfer::is_whole(const AttachmentRow& attachment) {
  const std::lock_guard lock(store_.mutex);
  codec::AttachmentHash hash;
  for (std::uint32_t at = 0; at < attachment.bytes_here;) {
    std::string bytes = store_.attachments.read(attachment, at, hashed_step_bytes);
    hash.add(bytes);
    at += static_cast<std::uint32_t>(bytes.size());
    sodium_memzero(bytes.data(), bytes.size());
  }
  return hash.id() == attachment.file.id;
}

void AttachmentTransfer::adapt(std::uint64_t moved, core::Milliseconds took) {
  // The end of a file says nothing about what the link can carry.
  if (moved < chunk_bytes_ / 2) return;
  const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count, 1));
  const std::uint64_t aimed = std::min(moved * chunk_aim_ms / span, moved * chunk_step);
  chunk_bytes_ = static_cast<std::size_t>(std::clamp<std::uint64_t>(aimed, chunk_bytes_min, chunk_bytes_max));
}

void AttachmentTransfer::count(SyncProgress& progress) {
  const std::lock_guard lock(store_.mutex);
  progress.attachment_bytes_sent = bytes_up_;
  progress.attachment_bytes_received = bytes_down_;
  for (const AttachmentRow& row : may_travel(AttachmentState::waiting)) {
    const auto told = told_.find(row.file.id);
    progress.attachment_bytes_to_send += row.file.size - (told == told_.end() ? 0 : told->second);
  }
  for (const AttachmentRow& row : may_travel(AttachmentState::wanted))
    progress.attachment_bytes_to_receive += row.file.size - row.bytes_here;
}

void AttachmentTransfer::count(SyncReport& report) const {
  report.attachment_bytes_up = bytes_up_;
  report.attachment_bytes_down = bytes_down_;
}

}  // namespace fieldsync::api
