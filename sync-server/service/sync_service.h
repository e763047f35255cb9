// sync_service.h: answers POST /v1/sync. A plain blocking function: the same for
// the HTTP server, the import command and the simulation.
#pragma once

#include <vector>

#include "core/id.h"
#include "core/result.h"
#include "fieldsync/v1/sync.pb.h"
#include "service/attachment_service.h"
#include "service/audit_log.h"
#include "service/clock.h"
#include "service/cursor.h"
#include "service/form_cache.h"
#include "service/page_builder.h"
#include "service/read_allowance.h"
#include "service/read_log.h"
#include "store/store.h"

namespace fieldsync::server {

inline constexpr std::uint32_t protocol_version = 1;
// Of attachments, in one request.
inline constexpr int offers_max = 100;

class SyncService {
 public:
  // `store` and `attachments` outlive the service. Threads: any.
  SyncService(Store& store, AttachmentService& attachments, const CursorKey& cursor_key, AuditLog log, Clock clock,
              std::size_t records_read_per_day = records_read_per_day_max)
      : store_(store),
        attachments_(attachments),
        cursor_key_(cursor_key),
        log_(std::move(log)),
        reads_(store, log_),
        allowance_(records_read_per_day),
        clock_(std::move(clock)) {}

  [[nodiscard]] const AuditLog& audit_log() const { return log_; }

  // The device is about to be given a file: on record where a sensitive record names it. As ReadLog::note;
  // unknown_device, device_revoked, read_limit.
  [[nodiscard]] Result<void> note_attachment_read(const core::DeviceId& device, const core::AttachmentId& attachment);

  // unknown_device, device_revoked, unsupported_protocol_version, bad_cursor, what is
  // wrong with the offers (malformed_request, too_many_elements), and what check_batch
  // and last_equal refuse: then nothing was changed. read_limit: what was sent is kept.
  [[nodiscard]] Result<v1::SyncReply> sync(const core::DeviceId& device, const v1::SyncRequest& request,
                                           BodyStyle style, Access access = Access::full);

 private:
  struct Upload {
    std::optional<UploadOutcome> outcome;  // absent where nothing was new
    // Those from before, where the device knows of others: all, or beside a batch its own.
    std::vector<QuarantineRow> refusals;
    bool refusals_differ = false;
    std::uint64_t acknowledged = 0;
    Sha256 last_batch_hash{};  // zeros before the first batch
    std::uint64_t expected = 0;
    std::uint64_t first_applied = 0;
    bool revoked = false;
    bool attachments_known = true;  // the version that the request names, as far as was read
  };

  // All of the reply but what it says of the audit log.
  Result<v1::SyncReply> answer(const core::DeviceId& device, const v1::SyncRequest& request, BodyStyle style,
                               Access access);
  Result<Upload> upload(const core::DeviceId& device, const v1::SyncRequest& request, Access access);
  // A device that has read more than there is shows that this database was
  // restored from an older copy: its history begins anew, and every device reads
  // it from the start and sends again what is missing.
  Result<void> begin_new_epochs(const core::DeviceId& device, const v1::SyncRequest& request);
  Result<void> download(const core::DeviceId& device, const v1::SyncRequest& request, const Upload& upload,
                        BodyStyle style, v1::SyncReply& reply);

  // Puts on record what the device is about to be given.
  Result<void> note_reads(const core::DeviceId& device, std::vector<v1::ScopeRead> read);
  // This database is an older copy than the one that named the version.
  Result<bool> has_lost_attachments(const v1::SyncRequest& request, const Upload& upload);

  Store& store_;
  AttachmentService& attachments_;
  CursorKey cursor_key_;
  AuditLog log_;
  ReadLog reads_;
  ReadAllowance allowance_;
  Clock clock_;
  FormCache forms_;
};

}  // namespace fieldsync::server
