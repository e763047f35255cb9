// sync_session.h: what a sync does next. A state machine without I/O, clock or
// randomness of its own: the driver tells it what happened, it answers what to do.
//
//   next()  -> exchange | pause | finished | failed
//   after an exchange: on_reply() or on_failure(); after a pause: next() again
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "core/result.h"
#include "core/time.h"

namespace fieldsync::engine {

// The limits of adaptive batches, bytes on the wire.
// The first carries 100 reports: 4 s over EDGE (100 kbit/s).
inline constexpr std::size_t batch_bytes_start = 48 * 1024;
inline constexpr std::size_t batch_bytes_min = 2 * 1024;
inline constexpr std::size_t batch_bytes_max = 256 * 1024;
inline constexpr std::size_t reply_bytes_start = 64 * 1024;
inline constexpr std::size_t reply_bytes_max = 1024 * 1024;
// A batch should take about this long to travel.
inline constexpr std::int64_t transfer_aim_ms = 8'000;
inline constexpr std::int64_t pause_ms_first = 1'000;
inline constexpr std::int64_t pause_ms_max = 60'000;

struct Action {
  enum class Kind : std::uint8_t { exchange, pause, finished, failed };
  Kind kind = Kind::exchange;
  core::Milliseconds pause;               // pause
  std::size_t batch_bytes = 0;            // exchange: aim for the batch
  std::size_t reply_bytes = 0;            // exchange: budget for the changes
  Error error{Errc::internal_error, {}};  // failed
};

class SyncSession {
 public:
  // `jitter` gives a number from 0 to 1; the pause is that part of its upper bound
  // (full jitter, so that devices that lost one server do not return together).
  SyncSession(int retries, std::function<double()> jitter) : retries_(retries), jitter_(std::move(jitter)) {}

  [[nodiscard]] Action next();

  struct Exchanged {
    std::size_t batch_bytes = 0;  // as sent; 0 without a batch
    std::size_t reply_bytes = 0;
    core::Milliseconds took;
    bool more_to_send = false;
    bool more_to_receive = false;
    bool progress = false;  // something was acknowledged or received
  };
  void on_reply(const Exchanged& exchanged);
  void on_failure(const Error& error);
  // Bytes of an attachment came through.
  void on_progress() { failures_ = 0; }
  // There is something to exchange after all.
  void reopen() { finished_ = false; }
  [[nodiscard]] bool is_reopened() const { return !finished_; }

 private:
  void adapt(const Exchanged& exchanged);

  int retries_;
  std::function<double()> jitter_;
  int failures_ = 0;
  bool finished_ = false;
  bool pausing_ = false;
  std::optional<Error> failed_;
  std::size_t batch_bytes_ = batch_bytes_start;
  std::size_t reply_bytes_ = reply_bytes_start;
};

}  // namespace fieldsync::engine
