// upload.h: a device's batch, from the bytes that arrived to rows in the store.
//
// Everything that needs no database happens before the transaction (check_batch);
// inside it operations are merged one after another, and what may not be applied
// is kept in quarantine with its reason: one bad operation holds up nobody.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "codec/batch.h"
#include "codec/frame.h"
#include "core/effective_time.h"
#include "fieldsync/v1/sync.pb.h"
#include "service/audit_log.h"
#include "service/form_cache.h"
#include "store/store.h"

namespace fieldsync::server {

// A batch that is the device's own and follows its last one, with its operations
// read as far as they can be.
struct CheckedBatch {
  std::uint64_t first_counter = 0;
  codec::BatchHash previous{};
  codec::BatchHash hash{};
  // Decoded OperationList. Not in place: a short string takes its bytes along
  // where it is moved, and the views would stay behind.
  std::unique_ptr<const std::string> content;
  std::vector<std::string_view> operation_bytes;    // into `content`
  std::vector<Result<core::Operation>> operations;  // one for each
};

// What a device is told of an operation that is kept in quarantine.
[[nodiscard]] v1::OperationResult quarantine_result(std::uint64_t counter, const std::string& code,
                                                    const std::string& message);

// The batch's OperationList. unsupported_encoding, request_too_large.
[[nodiscard]] Result<std::string> content_of(const v1::Batch& batch, codec::FrameReader& frames);

// batch_chain_broken, bad_signature, unsupported_encoding, request_too_large,
// too_many_elements, malformed_request.
[[nodiscard]] Result<CheckedBatch> check_batch(const v1::Batch& batch, const DeviceRow& device,
                                               codec::FrameReader& frames);

// Where a scope stood before the batch, and which seqs it got.
struct ScopeUpload {
  std::uint64_t head_before = 0;
  std::uint64_t digest_before = 0;
  std::uint64_t first_seq = 0;  // 0: nothing applied here
  std::uint64_t last_seq = 0;
  // The records it changed, with the seq of their last change before.
  std::map<core::RecordId, std::uint64_t> changed;
};

struct UploadOutcome {
  std::uint64_t last_counter = 0;
  std::vector<v1::OperationResult> refused;
  core::Arrival arrival;
  std::vector<v1::EffectiveTime> exceptions;
  std::map<std::int64_t, ScopeUpload> scopes;  // by ScopeRow::key
};

// Effective times from before the server was restored, by counter.
using FormerTimes = std::map<std::uint64_t, core::Instant>;

// Applies a checked batch, and notes it in the audit log. must_be_sealed: it holds a secret in the clear; then
// nothing of it may be kept, not even in quarantine. Pre: `device` is its row as the transaction sees it.
[[nodiscard]] Result<UploadOutcome> apply_batch(WriteTransaction& transaction, const DeviceRow& device,
                                                const v1::Batch& batch, CheckedBatch& checked,
                                                const core::Arrival& arrival, const FormerTimes& former,
                                                const FormSet& forms, const AuditLog& log, codec::FrameWriter& writer,
                                                codec::FrameReader& reader);

// Applies an operation that is in quarantine, in the scope that it names, whatever its author may do
// there: the office decided so. All else is checked as at its arrival. superseded: its device has saved
// the record since. must_be_sealed, scope_not_found, unknown_form, wrong_context, and what is wrong
// with a value: nothing was changed that the transaction may keep.
[[nodiscard]] Result<void> apply_as_office(WriteTransaction& transaction, const DeviceRow& device,
                                           core::Operation operation, const core::Arrival& arrival,
                                           const FormSet& forms, codec::FrameWriter& writer,
                                           codec::FrameReader& reader);

}  // namespace fieldsync::server
