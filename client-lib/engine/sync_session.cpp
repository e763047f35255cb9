#include "engine/sync_session.h"

#include <algorithm>

namespace fieldsync::engine {
namespace {

// How much sizes grow or shrink by what one exchange shows.
constexpr std::size_t step = 4;

// What the link carried in `took`, extended to the aimed time, but never more
// than a step above the last size: one quick exchange proves little.
std::size_t adapted(std::size_t carried, core::Milliseconds took, std::size_t least, std::size_t most) {
  const auto rate_aim = static_cast<double>(carried) * static_cast<double>(transfer_aim_ms) /
                        static_cast<double>(std::max<std::int64_t>(took.count, 1));
  const double bounded = std::min(rate_aim, static_cast<double>(carried * step));
  return std::clamp(static_cast<std::size_t>(bounded), least, most);
}

}  // namespace

Action SyncSession::next() {
  Action action;
  if (failed_) {
    action.kind = Action::Kind::failed;
    action.error = *failed_;
  } else if (finished_) {
    action.kind = Action::Kind::finished;
  } else if (pausing_) {
    pausing_ = false;
    action.kind = Action::Kind::pause;
    const std::int64_t bound = std::min(pause_ms_first << std::min(failures_ - 1, 16), pause_ms_max);
    action.pause = {static_cast<std::int64_t>(static_cast<double>(bound) * jitter_())};
  } else {
    action.batch_bytes = batch_bytes_;
    action.reply_bytes = reply_bytes_;
  }
  return action;
}

void SyncSession::on_reply(const Exchanged& exchanged) {
  if (exchanged.progress) failures_ = 0;
  adapt(exchanged);
  finished_ = !exchanged.more_to_send && !exchanged.more_to_receive;
}

void SyncSession::adapt(const Exchanged& exchanged) {
  // A small remainder says nothing about what the link can carry.
  if (exchanged.batch_bytes >= batch_bytes_ / 2) {
    batch_bytes_ = adapted(exchanged.batch_bytes, exchanged.took, batch_bytes_min, batch_bytes_max);
  }
  if (exchanged.reply_bytes >= reply_bytes_ / 2) {
    reply_bytes_ = adapted(exchanged.reply_bytes, exchanged.took, batch_bytes_min, reply_bytes_max);
  }
}

void SyncSession::on_failure(const Error& error) {
  batch_bytes_ = std::max(batch_bytes_ / step, batch_bytes_min);
  reply_bytes_ = std::max(reply_bytes_ / step, batch_bytes_min);
  const bool again = describe(error.code).retry && error.code != Errc::cancelled;
  if (!again || failures_ >= retries_) {
    failed_ = error;
    return;
  }
  ++failures_;
  pausing_ = true;
  finished_ = false;
}

}  // namespace fieldsync::engine
