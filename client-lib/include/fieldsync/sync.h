// sync.h: what a sync is asked, what it tells, and how far everything has come.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/certificate_flaw.h"
#include "core/id.h"
#include "core/result.h"
#include "core/time.h"

namespace fieldsync {

// After each answer of the server. Counts never go back within one sync.
struct SyncProgress {
  std::uint64_t operations_acknowledged = 0;  // in this sync
  std::uint64_t operations_waiting = 0;       // still unsent
  std::uint64_t records_received = 0;
  bool more_to_receive = false;
  // Attachments, in bytes. `sent` is what the network took in this sync, `to_send` what the
  // office does not have on its disk yet; the same the other way round.
  std::uint64_t attachment_bytes_sent = 0;
  std::uint64_t attachment_bytes_to_send = 0;
  std::uint64_t attachment_bytes_received = 0;
  std::uint64_t attachment_bytes_to_receive = 0;
};

// Which attachments may travel; text always does, and first. Documents count as photos.
struct AttachmentLimits {
  bool previews = true;
  bool audio = true;
  bool photos = true;
  // In both directions together; what goes beyond waits for another sync.
  std::uint64_t bytes_max = UINT64_MAX;

  bool operator==(const AttachmentLimits&) const = default;
};

struct SyncReport {
  std::uint64_t requests = 0;
  std::uint64_t operations_acknowledged = 0;
  std::uint64_t operations_refused = 0;
  std::uint64_t records_received = 0;
  std::uint64_t body_bytes_up = 0;  // HTTP bodies, without headers and TLS
  std::uint64_t body_bytes_down = 0;
  std::uint64_t wire_bytes_up = 0;  // everything written to the socket
  std::uint64_t wire_bytes_down = 0;
  std::uint64_t attachment_bytes_up = 0;  // attachments and previews; some bytes perhaps twice
  std::uint64_t attachment_bytes_down = 0;
  // The office withdrew this device's access. It keeps what is sent, and tells nothing more. Some of what was saved
  // here waits yet: the sync that sends the last of it erases the store, and fails with `wiped`.
  bool revoked = false;
  // The office's database was replaced by an older copy: what it had beyond that is gone there, and devices send it
  // again. The office's history says so itself. Status::history tells more.
  bool history_set_back = false;
  // The server has the office's key, and its certificate is not in order: to be told to the office. The sync went on.
  CertificateFlaw certificate_flaw = CertificateFlaw::none;
};

struct SyncOptions {
  // Called on the thread that called sync(); must not call the Database.
  std::function<void(const SyncProgress&)> on_progress{};
  // How often to try again after a broken connection, with growing, jittered
  // pauses (1 s, 2 s, 4 s ... at most 60 s); progress starts the count anew.
  int retries = 4;
  // Milliseconds until the first connection counts as offline.
  std::int64_t connect_timeout_ms = 10'000;
  AttachmentLimits attachments{};
  // Whether the sync is a person's use, which keeps the store from locking itself
  // (OpenOptions::lock_after). Where it is not, the store may lock meanwhile, and the sync
  // then ends with `cancelled` or `locked`.
  bool counts_as_use = true;
  // Ends this sync with `cancelled`, and no other, as soon as a stop is requested; also one
  // that has not begun yet.
  std::stop_token stop{};
  // Called once before sync() returns, where it came as far as asking the server: what was
  // done until then, also where the sync failed. As on_progress.
  std::function<void(const SyncReport&)> on_report{};
};

// A time at which the office's history was set back.
struct HistorySetBack {
  // When the office put it on record; of a log with another key: when this device was enrolled anew.
  core::Instant at;
  // At least so many entries are gone.
  std::uint64_t entries_gone = 0;
  // What the device had been shown, and what it was shown next: evidence, to be kept.
  std::string checkpoint_before;
  std::string checkpoint_after;
};

// What this device knows of the office's history, in which nothing can be changed quietly.
struct HistoryStatus {
  // SHA-256 of the key that signs it, in hexadecimal digits; empty before the device learned it. The same on every
  // device, and as `fieldsync-server fingerprint` prints it.
  std::string fingerprint;
  // The newest checkpoint that the device took, for `fieldsync-server verify --checkpoint`; empty before the first.
  std::string checkpoint;
  std::uint64_t entries = 0;
  std::vector<HistorySetBack> set_back;
};

// Never says more than is true: a number moves on only when the storage that it
// speaks of was synced. Operations are counted, one for each save.
struct Status {
  std::uint64_t saved_here = 0;  // not yet acknowledged by the server
  std::uint64_t sent = 0;        // acknowledged, not yet durable
  std::uint64_t durable = 0;
  std::uint64_t refused = 0;
  // Attachments and previews of which the office does not have all bytes on its disk.
  std::uint64_t attachments_waiting = 0;
  std::uint64_t attachment_bytes_waiting = 0;
  // Everything that was saved and added on this device is durable at the office: it may be
  // erased, or given away. Not so while an attachment is in no save yet.
  bool safe_to_erase = false;
  std::uint64_t open_conflicts = 0;
  std::uint64_t records = 0;               // visible ones
  std::optional<core::Instant> last_sync;  // last complete one
  HistoryStatus history;
};

// An operation that the office keeps in quarantine.
struct RefusedOperation {
  core::OperationId operation;
  core::RecordId record;
  std::string code;     // stable, see core/errc.h
  std::string message;  // a plain sentence
};

}  // namespace fieldsync
